"""The runtimes that a model can be compared with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Runtime:
    """The file format that it reads, the module to import, and the package that has the module."""

    format: str
    module: str
    package: str


RUNTIMES = {
    "engine": Runtime("h5", "engine", "numba-infer"),
    "tensorflow": Runtime("h5", "tensorflow", "tensorflow-cpu"),
    "keras": Runtime("h5", "keras", "keras"),
    "onnxruntime": Runtime("onnx", "onnxruntime", "onnxruntime"),
    "openvino": Runtime("onnx", "openvino", "openvino"),
    "litert": Runtime("tflite", "ai_edge_litert", "ai-edge-litert"),
}
"""This engine, TensorFlow's compiled function, Keras's `predict`, and the rest by their own names."""

ENGINE, REFERENCE = "engine", "tensorflow"
PEERS = tuple(name for name in RUNTIMES if name != ENGINE)
