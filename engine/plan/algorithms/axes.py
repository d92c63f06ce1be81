"""Walks over arrays with as few axes as possible."""

from collections.abc import Sequence


def join_axes(extents: Sequence[int], *walks: Sequence[int]) -> tuple[list[int], list[list[int]]]:
    """The fewest axes, at least one, that visit the same places in the same order; each walk's step along them.

    Axes of one element go, and neighbours along which every walk steps evenly become one.
    """
    axes: list[int] = []
    joined: list[list[int]] = [[] for _ in walks]
    for i, extent in enumerate(extents):
        if extent == 1 and (axes or i < len(extents) - 1):
            continue
        if axes and all(walk[-1] == steps[i] * extent for walk, steps in zip(joined, walks, strict=True)):
            axes[-1] *= extent
            for walk, steps in zip(joined, walks, strict=True):
                walk[-1] = steps[i]
        else:
            axes.append(extent)
            for walk, steps in zip(joined, walks, strict=True):
                walk.append(steps[i])
    return axes, joined
