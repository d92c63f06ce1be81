"""Where the MNIST archive lies, and the line that reports a model file. NumPy only."""

import argparse
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data" / "mnist.npz"
MODELS = ("mnist", "mnist_dense")


def keras_cache() -> Path:
    """Where `keras.datasets.mnist.load_data()` keeps the archive."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(home) / "datasets" / "mnist.npz"


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with `--data`: the shared archive if there is one, else Keras's cache."""
    default = SHARED if SHARED.exists() else keras_cache()
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--data", type=Path, default=default, help="mnist.npz (default: %(default)s)")
    return result


def split(archive: Path, part: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Images, (n, 28, 28, 1) float32 in 0-1, and their digits; `part` is "train" or "test"."""
    if not archive.is_file():
        raise SystemExit(f"{archive}: no MNIST archive here; name one with --data")
    with np.load(archive) as arrays:
        images, digits = arrays[f"x_{part}"], arrays[f"y_{part}"]
    return images[..., np.newaxis].astype(np.float32) / 255, digits.astype(np.int64)


def report(model: Path, logits: np.ndarray[Any, Any], digits: np.ndarray[Any, Any]) -> str:
    """One line: file, size, share of right answers, sha256."""
    right = float(np.mean(logits.argmax(axis=-1) == digits))
    content = model.read_bytes()
    return f"{model.name}  {len(content):,} bytes  accuracy {right:.2%}  sha256 {hashlib.sha256(content).hexdigest()}"
