"""ONNX Runtime, CPU provider."""

import onnxruntime  # type: ignore[import-not-found]

from bench.workers import Call


def load(path: str, batch: int, threads: int) -> Call:
    """The free dimension "batch" is fixed, so that shapes fold as they would in a model made for it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_free_dimension_override_by_name("batch", batch)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0]
