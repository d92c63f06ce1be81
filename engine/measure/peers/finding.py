"""Which interpreter has a runtime, and a model's file in the runtime's format."""

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from engine import settings
from engine.errors import EngineError
from engine.measure.peers.table import ENGINE, RUNTIMES
from engine.measure.peers.worker import last_line

CONVERTER = Path(__file__).parents[1] / "foreign" / "convert.py"
CONVERT = "convert"
"""The name under which an interpreter with TensorFlow and tf2onnx is given."""

_SAME = {"keras": "tensorflow"}
_NEEDS = {CONVERT: ("tensorflow", "tf2onnx"), "keras": ("tensorflow", "keras")}
_PACKAGES = {CONVERT: "tensorflow-cpu tf2onnx"}
_CONVERSION_SECONDS = 1800


class MissingError(EngineError):
    """A runtime or a file of its format cannot be had; the message is one line."""


def find_python(name: str, given: Mapping[str, str]) -> str:
    """An interpreter with the runtime `name`, or with the converters: a given one, this one, or one that
    `python -m bench.peers` has made.

    Raises `MissingError`.
    """
    if name == ENGINE:
        return sys.executable
    if name in given:
        if not os.access(given[name], os.X_OK):
            raise MissingError(f"{name}: {given[name]} is no program")
        return given[name]
    modules = _NEEDS.get(name) or (RUNTIMES[name].module,)
    if all(find_spec(module) for module in modules):
        return sys.executable
    python = settings.bench_environments() / _SAME.get(name, name) / "bin" / "python"
    if python.is_file():
        return str(python)
    package = _PACKAGES.get(name) or RUNTIMES[name].package
    raise MissingError(f"{name}: not installed; pip install {package}, or give its Python with --python {name}=PATH")


def converted(model: Path, format: str, batch: int, folder: Path, given: Mapping[str, str]) -> Path:
    """The model in another format, in `folder`; a `.tflite` is for `batch` images. Raises `MissingError`."""
    target = folder / f"model-{batch}.{format}" if format == "tflite" else folder / f"model.{format}"
    if target.is_file():
        return target
    fixed = [str(batch)] if format == "tflite" else []
    command = [find_python(CONVERT, given), str(CONVERTER), str(model), str(target), *fixed]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        done = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=_CONVERSION_SECONDS, env=os.environ | quiet,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingError(f"{format} not made: {error}") from None
    if done.returncode or not target.is_file():
        target.unlink(missing_ok=True)
        raise MissingError(f"{format} not made: {last_line(done.stderr) or f'status {done.returncode}'}")
    return target
