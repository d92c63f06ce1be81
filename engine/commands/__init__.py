"""The commands of `infer`, one a module, each imported when it is asked for.

A module here has its click command under the name `command`, and imports the engine inside it.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

import click

NAMES = ("bench", "classify", "eval", "explain", "init", "inspect", "profile", "summary", "tune", "verify", "warmup")
MODULES = {name: name for name in NAMES}
"""Module by command."""


class Commands(Mapping[str, click.Command]):
    """Every command by its name."""

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = import_module(f"{__name__}.{MODULES[name]}").command
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)
