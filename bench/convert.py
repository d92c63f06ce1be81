"""Keras `.h5` to the peers' formats. Runs in the `convert` environment.

`python -m bench.convert FILE.h5 FILE.onnx` keeps the batch free (dimension name "batch");
`python -m bench.convert FILE.h5 FILE.tflite BATCH` fixes it: LiteRT's converter and delegate want static shapes.
"""

import sys

import keras  # type: ignore[import-not-found]
import onnx  # type: ignore[import-not-found]
import tensorflow as tf  # type: ignore[import-untyped]
import tf2onnx  # type: ignore[import-not-found]
from tensorflow.python.framework.convert_to_constants import (  # type: ignore[import-untyped]
    convert_variables_to_constants_v2,
)

from bench.architectures import load

OPSET = 18


def _function(model: keras.Model, batch: int | None) -> tuple[tf.types.experimental.PolymorphicFunction, tf.TensorSpec]:
    return tf.function(lambda x: model(x, training=False)), tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32)


def to_onnx(model: keras.Model, path: str) -> None:
    """Write the model as ONNX, float32, opset 18, batch free."""
    function, spec = _function(model, None)
    proto, _ = tf2onnx.convert.from_function(function, [spec], opset=OPSET)
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(proto, path)


def to_tflite(model: keras.Model, path: str, batch: int) -> None:
    """Write the model as TFLite, float32, batch fixed."""
    function, spec = _function(model, batch)
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(spec))
    with open(path, "wb") as file:
        file.write(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())


def main() -> None:
    """Command line: FILE.h5 FILE.onnx | FILE.h5 FILE.tflite BATCH."""
    source, target, *batch = sys.argv[1:]
    model = load(source)
    if batch:
        to_tflite(model, target, int(batch[0]))
    else:
        to_onnx(model, target)


if __name__ == "__main__":
    main()
