"""This engine: `model(x)`."""

import engine
from bench.workers import Call


def load(path: str, batch: int, threads: int) -> Call:
    """Any batch size; `batch` is not needed."""
    model: Call = engine.load_model(path, threads=threads)
    return model
