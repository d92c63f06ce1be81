"""What `infer --version` says: everything that a report of an error should name."""

import platform
from collections.abc import Iterator
from importlib import metadata

PACKAGES = ("numpy", "numba", "llvmlite", "h5py", "pillow", "simplejpeg", "pyarrow")


def version_lines() -> Iterator[str]:
    """Our version, Python's, those of packages that are there (none is imported for it), and the machine."""
    yield f"infer, version {_version('numba-infer') or 'unknown: not installed'}"
    yield f"python {platform.python_version()}, {platform.system()} {platform.machine()}"
    for package in PACKAGES:
        if version := _version(package):
            yield f"{package} {version}"
    yield from _machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _machine() -> Iterator[str]:
    from engine import num_threads
    from engine.errors import EngineError
    from engine.plan.machine import this_machine

    try:
        yield f"instruction set {this_machine().isa.name}, {num_threads()} threads"
    except EngineError as error:
        yield f"instruction set: {error}"
