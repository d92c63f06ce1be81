"""LiteRT with its XNNPACK delegate."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

from bench.workers import Call


def load(path: str, batch: int, threads: int) -> Call:
    """The file has its batch fixed; another one is refused by LiteRT itself."""
    interpreter = Interpreter(path, num_threads=threads)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def call(x: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        answer: np.ndarray = interpreter.get_tensor(result)
        return answer

    return call
