"""The model files of the comparison: one table, and each file made on demand.

`python -m bench.models [--suite NAME ...]` makes all of them. They are kept in `bench-models` beside the environments
of `bench.peers`; a file is made again when its weights, the code that writes it or the pinned packages change.
"""

import argparse
import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.peers import ENVIRONMENTS, is_ready, python_of
from engine.measure.peers.finding import CONVERTER
from engine.measure.peers.worker import last_line
from engine.settings import bench_environments

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURES = ROOT / "bench" / "architectures.py"
SUITES = ("seed", "tiny", "large")
FORMATS = ("h5", "onnx", "tflite")
SEED = 22


@dataclass(frozen=True)
class Spec:
    """One model: its input without the batch, what it puts out, and where it comes from.

    `output` is "probabilities", "logits" or "values". Inputs are uniform in [0, `scale`). `weights` is a file of the
    repository; without one the architecture of that name gets random weights.
    """

    name: str
    suite: str
    shape: tuple[int, ...]
    output: str = "probabilities"
    scale: float = 1.0
    weights: str | None = None


MODELS = (
    Spec("mnist", "seed", (28, 28, 1), output="logits", weights="weights/mnist.h5"),
    Spec("mnist_dense", "seed", (28, 28, 1), output="logits", weights="weights/mnist_dense.h5"),
    Spec("example_32", "seed", (32, 32, 3)),
    Spec("resnet8", "tiny", (32, 32, 3)),
    Spec("mobilenet_v1", "tiny", (96, 96, 3)),
    Spec("ds_cnn", "tiny", (49, 10, 1)),
    Spec("autoencoder", "tiny", (640,), output="values"),
    Spec("vgg16", "large", (224, 224, 3)),
    Spec("resnet50", "large", (224, 224, 3)),
    Spec("densenet121", "large", (224, 224, 3)),
    Spec("mobilenet_v2", "large", (224, 224, 3)),
    Spec("efficientnet_b0", "large", (224, 224, 3), scale=255.0),
    Spec("convnext_tiny", "large", (224, 224, 3), scale=255.0),
    Spec("lstm", "large", (128, 64)),
)


_failed: dict[Path, str] = {}


class BuildError(Exception):
    """A model file could not be made; the message is one line."""


def in_suites(suites: list[str]) -> list[Spec]:
    """The models of the named suites ("all" is every one), in the order of the table."""
    return [spec for spec in MODELS if "all" in suites or spec.suite in suites]


def inputs(spec: Spec, batch: int) -> NDArray[np.float32]:
    """Seeded images, the same first ones for every batch size; shape (batch, *spec.shape)."""
    rng = np.random.default_rng(SEED)
    return np.float32(spec.scale) * rng.random((batch, *spec.shape), np.float32)


def model_file(spec: Spec, format: str, batch: int) -> Path:
    """The path of the model in a format of FORMATS, made now if need be. Raises BuildError."""
    source, key = _keras_file(spec)
    if format == "h5":
        return source
    fixed = (str(batch),) if format == "tflite" else ()
    target = _folder() / ("-".join((spec.name, *fixed)) + f".{format}")
    key = _digest(key, CONVERTER.read_text(), *ENVIRONMENTS["convert"], *fixed)
    _make(target, key, "convert", [str(CONVERTER), str(source), str(target), *fixed])
    return target


def _keras_file(spec: Spec) -> tuple[Path, str]:
    """The `.h5` file and a digest of what it is made from."""
    if spec.weights:
        path = ROOT / spec.weights
        if not path.is_file():
            raise BuildError(f"{spec.weights} is missing")
        return path, hashlib.sha256(path.read_bytes()).hexdigest()
    target = _folder() / f"{spec.name}.h5"
    key = _digest(ARCHITECTURES.read_text(), str(spec), *ENVIRONMENTS["tensorflow"])
    _make(target, key, "tensorflow", [str(ARCHITECTURES), spec.name, str(target), str(spec.scale)])
    return target, key


def _make(target: Path, key: str, environment: str, command: list[str]) -> None:
    """Run a script in an environment, which makes the target, unless that was made with this key.

    What has failed once is not tried again by this process.
    """
    stamp = target.with_name(target.name + ".key")
    if target.is_file() and stamp.is_file() and stamp.read_text() == key:
        return
    if target in _failed:
        raise BuildError(_failed[target])
    if not is_ready(environment):
        raise BuildError(f"environment {environment} is missing: run python -m bench.peers")
    print(f"making {target}", file=sys.stderr, flush=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    done = subprocess.run(
        [python_of(environment), *command],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    if done.returncode or not target.is_file():
        target.unlink(missing_ok=True)
        _failed[target] = f"{target.name}: status {done.returncode}: {last_line(done.stderr)}"
        raise BuildError(_failed[target])
    stamp.write_text(key)


def _folder() -> Path:
    return bench_environments().parent / "bench-models"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def main() -> int:
    """Command line: make the files of the suites in every format; exit status 1 if one could not be made."""
    parser = argparse.ArgumentParser(prog="python -m bench.models", description=__doc__)
    parser.add_argument("--suite", nargs="+", choices=[*SUITES, "all"], default=["all"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32], metavar="N")
    options = parser.parse_args()
    failed = 0
    for spec in in_suites(options.suite):
        for format in FORMATS:
            for batch in options.batch if format == "tflite" else options.batch[:1]:
                try:
                    print(model_file(spec, format, batch))
                except BuildError as error:
                    failed = 1
                    print(f"{spec.name} as {format}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
