"""The models that come with the package."""

from pathlib import Path

SHIPPED = ("mnist.h5", "mnist_dense.h5")


def shipped_model(name: str) -> Path | None:
    """The file of a shipped model, in a source tree or an installation; None if no model of that name ships."""
    path = Path(__file__).resolve().parents[1] / "weights" / name
    return path if name in SHIPPED and path.is_file() else None
