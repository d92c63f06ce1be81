"""Where a model comes from: what it takes to open its file again, here or in another process."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.frontend import Network, Source, name_of, open_model
from engine.ir.ops import Shape
from engine.runtime.tuning import Memory


@dataclass(frozen=True)
class Origin:
    """The arguments of `load_model`, and the layers that are outputs in place of the model's own.

    It can be pickled unless a source is an open file, and where the functions in `lambdas` can be.
    """

    source: Source
    arch: Source | None = None
    lambdas: Mapping[str, Callable[..., Any]] | None = field(default=None, repr=False)
    threads: int | None = None
    memory: Memory = "normal"
    strict: bool = False
    sandbox: bool = False
    outputs: tuple[str, ...] | None = None

    def open(self, shapes: Sequence[Shape] | None = None) -> Network:
        """Open the file, as `open_model` does."""
        return open_model(self.source, self.arch, self.lambdas, shapes, self.outputs, self.sandbox)

    def settled(self) -> "Origin":
        """The same when the process works in another folder later."""
        return replace(self, source=_absolute(self.source), arch=None if self.arch is None else _absolute(self.arch))

    def __getstate__(self) -> dict[str, Any]:
        for source in (self.source, self.arch):
            if source is not None and not isinstance(source, str | bytes | os.PathLike):
                name = name_of(source)
                raise TypeError(f"{name}: a model of an open file cannot be pickled; load it from a path or from bytes")
        return dict(vars(self))


def _absolute(source: Source) -> Source:
    """A path in full; bytes, open files and names of known architectures as they are."""
    if isinstance(source, str | os.PathLike) and os.path.lexists(source):
        return os.path.abspath(source)
    return source
