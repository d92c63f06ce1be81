"""What the kernels and their compiler are, as bytes to tell versions apart by."""

from collections.abc import Iterator
from contextlib import suppress
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

import engine.kernels


def kernel_sources() -> list[tuple[str, bytes]]:
    """Name and source of each module of kernels, sorted; where an app ships no sources, its code instead."""
    try:
        files = [file for file in resources.files("engine.kernels").iterdir() if file.name.endswith(".py")]
    except OSError:
        files = []
    return sorted((file.name, file.read_bytes()) for file in files) or sorted(_compiled())


def numba_version() -> bytes:
    """Numba's own version file, or the version that it was installed as, without importing Numba."""
    found = find_spec("numba")
    for folder in (found and found.submodule_search_locations) or ():
        with suppress(OSError):
            return (Path(folder) / "_version.py").read_bytes()
    from importlib import metadata

    with suppress(metadata.PackageNotFoundError):
        return metadata.version("numba").encode()
    return b"unknown"


def _compiled() -> Iterator[tuple[str, bytes]]:
    import pkgutil

    for module in pkgutil.iter_modules(engine.kernels.__path__, "engine.kernels."):
        found = find_spec(module.name)
        if found and found.loader and hasattr(found.loader, "get_code"):
            yield module.name, "\n".join(_said(found.loader.get_code(module.name))).encode()


def _said(code: CodeType) -> Iterator[str]:
    """What code does, without the places that it was compiled at, which differ between builds."""
    yield f"{code.co_name} {code.co_names} {code.co_varnames} {code.co_freevars} {code.co_code.hex()}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _said(constant)
        else:
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)
