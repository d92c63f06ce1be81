"""Receptive fields: how many cells of the input one element of a value depends on, along each axis of the input.

The recurrence is the usual one: a window of k cells with dilation d makes the field r + (k − 1)·d·j, where j is the
distance, in cells of the input, between neighbours of what the window reads; its stride multiplies j. Where branches
meet, the field is what all of them reach. Padding is part of the field, so it may exceed the input.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import floor, inf, prod
from typing import TypeAlias

from engine.ir.ops import Shape

Jumps: TypeAlias = dict[int, float]
"""For each axis of the input that an axis of a value runs along: the cells of the input between two neighbours."""

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Axis:
    """An axis of a value. `parts` are the axes, with their extents, that a reshape has joined to it.

    `slack` is how far behind its place, in cells of the input, an element of a joined axis may be.
    """

    jumps: Jumps = field(default_factory=dict)
    parts: tuple[tuple[int, Jumps], ...] = ()
    slack: Jumps = field(default_factory=dict)

    def split(self, extent: int) -> tuple[tuple[int, Jumps], ...]:
        """The parts, if their extents are still those of the axis, else itself."""
        return self.parts if self.parts and prod(size for size, _ in self.parts) == extent else ((extent, self.jumps),)


NOWHERE = Axis()


@dataclass(frozen=True)
class Field:
    """The element at i along an axis with jump j reads cells `low` + i·j to `high` + i·j along that axis of the input.

    Both are infinite where all of it counts. `axes` are those of the value.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    axes: tuple[Axis, ...]

    @property
    def sizes(self) -> tuple[float, ...]:
        """Number of cells along each axis of the input."""
        pairs = zip(self.low, self.high, strict=True)
        return tuple(inf if b == inf else floor(b - a + _ROUNDING) + 1 for a, b in pairs)

    def mixed(self, axis: int, first: float = -inf, last: float = inf) -> "Field":
        """An element now reads its neighbours from `first` to `last` along an axis of the value."""
        low, high, it = list(self.low), list(self.high), self.axes[axis]
        for a, jump in it.jumps.items():
            low[a] += first * jump - it.slack.get(a, 0.0)
            high[a] += last * jump
        axes = list(self.axes)
        axes[axis] = Axis(it.jumps)
        return Field(tuple(low), tuple(high), tuple(axes))

    def stepped(self, axis: int, step: float) -> "Field":
        """Neighbours along an axis of the value are `step` times as far apart."""
        axes = list(self.axes)
        axes[axis] = Axis({a: jump * step for a, jump in axes[axis].jumps.items()})
        return replace(self, axes=tuple(axes))

    def sampled(self, axis: int, reads: Sequence[tuple[int, int]], step: float) -> "Field":
        """Element i along an axis reads the elements `reads[i]`, first and last, about i·`step`."""
        first = min(a - i * step for i, (a, _) in enumerate(reads))
        last = max(b - i * step for i, (_, b) in enumerate(reads))
        return self.mixed(axis, first, last).stepped(axis, step)

    def along(self, axes: Iterable[Axis]) -> "Field":
        """The same elements on other axes."""
        return replace(self, axes=tuple(axes))

    def everything(self, rank: int) -> "Field":
        """Elements of a value of `rank` axes that read all of this one."""
        whole = self
        for axis in range(len(self.axes)):
            whole = whole.mixed(axis)
        return whole.along((NOWHERE,) * rank)

    def regrouped(self, before: Shape, after: Shape) -> "Field":
        """The same elements in another shape."""
        return self.along(_regrouped(self.axes, before, after))


def joined(fields: Sequence[Field], rank: int) -> Field:
    """Elements that read what those of all fields read at their place; shorter values are without first axes."""
    wide = [(NOWHERE,) * (rank - len(f.axes)) + f.axes for f in fields]
    low = tuple(min(each) for each in zip(*(f.low for f in fields), strict=True))
    high = tuple(max(each) for each in zip(*(f.high for f in fields), strict=True))
    return Field(low, high, tuple(_common(each) for each in zip(*wide, strict=True)))


def _common(axes: Sequence[Axis]) -> Axis:
    if all(axis == axes[0] for axis in axes):
        return axes[0]
    return Axis(_merged(axis.jumps for axis in axes), (), _merged(axis.slack for axis in axes))


def _merged(all_jumps: Iterable[Jumps]) -> Jumps:
    found: Jumps = {}
    for jumps in all_jumps:
        for axis, jump in jumps.items():
            found[axis] = max(jump, found.get(axis, 0.0))
    return found


def _regrouped(axes: Sequence[Axis], before: Shape, after: Shape) -> list[Axis]:
    """The axes after a reshape. Smallest runs of axes that hold the same elements become one another."""
    parts = [p for axis, size in zip(axes, before, strict=True) for p in axis.split(size) if p[0] > 1]
    found: list[Axis] = []
    run: list[tuple[int, Jumps]] = []
    extents: list[int] = []
    for extent in after:
        extents.append(extent)
        while parts and prod(size for size, _ in run) < prod(extents):
            run.append(parts.pop(0))
        if prod(size for size, _ in run) == prod(extents):
            found += _distributed(run, extents)
            run, extents = [], []
    return found


def _distributed(run: Sequence[tuple[int, Jumps]], extents: Sequence[int]) -> list[Axis]:
    """Axes of the given extents in place of a run of parts."""
    inner = [prod(size for size, _ in run[i + 1 :]) for i in range(len(run))]
    pairs = list(zip(run, inner, strict=True))
    along = _merged({a: jump / n for a, jump in jumps.items()} for (_, jumps), n in pairs)
    slack = _merged({a: jump * (n - 1) / n for a, jump in jumps.items()} for (_, jumps), n in pairs)
    outer = [prod(extents[i + 1 :]) for i in range(len(extents))]
    if sum(extent > 1 for extent in extents) == 1:
        return [NOWHERE if extent == 1 else Axis(along, tuple(run), slack) for extent in extents]
    return [
        NOWHERE if extent == 1 else Axis({a: jump * n for a, jump in along.items()}, (), slack)
        for extent, n in zip(extents, outer, strict=True)
    ]
