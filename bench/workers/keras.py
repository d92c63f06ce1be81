"""Keras: `model.predict`, as most users call it."""

from bench import architectures
from bench.workers import Call
from bench.workers.tensorflow import limit_threads


def load(path: str, batch: int, threads: int) -> Call:
    """The whole batch is one step."""
    limit_threads(threads)
    model = architectures.load(path)
    return lambda x: model.predict(x, batch_size=batch, verbose=0)
