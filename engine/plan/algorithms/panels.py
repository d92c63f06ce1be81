"""Weights as the register tile reads them, and how a matrix product is cut."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernels.isa import Isa
from engine.plan.machine import Machine
from engine.plan.site import aligned_array


def pack_panels(w: NDArray[Any], isa: Isa) -> NDArray[np.float32]:
    """(groups, k, f) → panels of `nr` columns, rows of a panel one after another, the last panel whole vectors wide."""
    groups, k, f = w.shape
    width = whole_vectors(f, isa)
    packed = aligned_array((groups, k * width))
    for g in range(groups):
        for j in range(0, f, isa.nr):
            columns = min(isa.nr, width - j)
            panel = packed[g, j * k : (j + columns) * k].reshape(k, columns)
            panel[:, : min(columns, f - j)] = w[g, :, j : j + columns]
    return packed


def pack_bias(bias: NDArray[Any], groups: int, isa: Isa) -> NDArray[np.float32]:
    """(f) → (groups, whole vectors)."""
    packed = aligned_array((groups, whole_vectors(bias.size // groups, isa)))
    packed[:, : bias.size // groups] = bias.reshape(groups, -1)
    return packed


def whole_vectors(f: int, isa: Isa) -> int:
    """The next multiple of a vector's lanes."""
    return -(-f // isa.lanes) * isa.lanes


def cut_columns(k: int, f: int, row_tiles: int, machine: Machine, least: int = 1) -> int:
    """Columns of a tile of work: whole panels whose weights fit half of L2, and tiles enough to share an image.

    At least `least` panels, where there are as many.
    """
    nr = machine.isa.nr
    panels = -(-f // nr)
    fitting = max(1, machine.l2 // 2 // (k * nr * 4))
    sharing = max(1, panels * row_tiles // 8)
    return min(panels, max(least, min(fitting, sharing))) * nr
