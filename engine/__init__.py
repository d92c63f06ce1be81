"""Inference for Keras models on the CPU, without TensorFlow.

`load_model(path)` reads a Keras file and returns a `Model` whose `predict` is Keras's own; `Classifier(path)` names
what a picture shows. Importing this package imports neither numba nor h5py nor Pillow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.classify import Classifier, Result, Score
    from engine.errors import (
        CancelledError,
        EngineError,
        GraphError,
        ImageError,
        InputError,
        KernelError,
        LimitExceededError,
        ModelFileError,
        UnsupportedLayerError,
    )
    from engine.evaluation import ClassReport, Evaluation, evaluate
    from engine.explaining.explanation import Explanation, explain
    from engine.frontend.registry import register_layer
    from engine.inspect import Inspection, inspect_model
    from engine.model import Layer, Model, TensorInfo, load_model
    from engine.pools import pool2d
    from engine.runtime.team import num_threads, set_num_threads
    from engine.runtime.warmup import warmup

_HOMES = {
    "engine.classify": ("Classifier", "Result", "Score"),
    "engine.errors": (
        "CancelledError", "EngineError", "GraphError", "ImageError", "InputError", "KernelError", "LimitExceededError",
        "ModelFileError", "UnsupportedLayerError",
    ),
    "engine.evaluation": ("ClassReport", "Evaluation", "evaluate"),
    "engine.explaining.explanation": ("Explanation", "explain"),
    "engine.frontend.registry": ("register_layer",),
    "engine.inspect": ("Inspection", "inspect_model"),
    "engine.model": ("Layer", "Model", "TensorInfo", "load_model"),
    "engine.pools": ("pool2d",),
    "engine.runtime.team": ("num_threads", "set_num_threads"),
    "engine.runtime.warmup": ("warmup",),
}  # fmt: skip
_WHERE = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CancelledError", "ClassReport", "Classifier", "EngineError", "Evaluation", "Explanation", "GraphError",
    "ImageError", "InputError", "Inspection", "KernelError", "Layer", "LimitExceededError", "Model", "ModelFileError",
    "Result", "Score", "TensorInfo", "UnsupportedLayerError", "evaluate", "explain", "inspect_model", "load_model",
    "num_threads", "pool2d", "register_layer", "set_num_threads", "warmup",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        try:
            return metadata.version("numba-infer")
        except metadata.PackageNotFoundError:
            return "unknown"
    if name not in _WHERE:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_WHERE]
