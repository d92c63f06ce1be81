"""Files that attack: the shapes of known proofs of concept, rebuilt. `build_all` writes them; nothing here is binary.

Each entry says which error its file must meet. Sources: CVE records of Keras, HDF5 and zip readers, 2021 to 2026.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from tests.frontend.handmade import write_dense

Build = Callable[[Path], object]


@dataclass(frozen=True)
class Attack:
    """A file to be written at a path, the error that it must meet, and what the error must say."""

    build: Build
    error: type[EngineError]
    message: str


ATTACKS: dict[str, Attack] = {}


def attack(error: type[EngineError], message: str) -> Callable[[Build], Build]:
    """Enter a function into the table under its own name."""

    def enter(build: Build) -> Build:
        name = build.__name__
        assert name not in ATTACKS, name
        ATTACKS[name] = Attack(build, error, message)
        return build

    return enter


def build_all(folder: Path) -> list[str]:
    """Write a harmless file and then every attack; their names in the order of the files."""
    from tests.fuzz import hostile_configs, hostile_hdf5, hostile_zips  # noqa: F401  # fill the table

    write_dense(folder / "000.h5")
    for number, entry in enumerate(ATTACKS.values(), 1):
        entry.build(folder / f"{number:03}.h5")
    return ["", *ATTACKS]


def sparse(path: Path, size: int) -> None:
    """Make a file longer without writing."""
    with path.open("r+b") as file:
        file.truncate(max(size, os.path.getsize(path)))


def dumps(value: object) -> bytes:
    """JSON, as Keras writes it."""
    return json.dumps(value).encode()
