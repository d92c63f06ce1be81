"""TensorFlow: the model as a `tf.function`, compiled for one concrete shape."""

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped]

from bench import architectures
from bench.workers import Call


def limit_threads(threads: int) -> None:
    """Must come before TensorFlow's first operation."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def load(path: str, batch: int, threads: int) -> Call:
    """The call includes the copies to and from TensorFlow's tensors."""
    limit_threads(threads)
    model = architectures.load(path)
    function = tf.function(lambda x: model(x, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32))

    def call(x: np.ndarray) -> np.ndarray:
        answer: np.ndarray = concrete(tf.constant(x)).numpy()
        return answer

    return call
