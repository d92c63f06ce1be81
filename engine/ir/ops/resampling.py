"""Operations whose windows differ from place to place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from engine.errors import GraphError
from engine.ir.ops.base import LINEAR, Activation, Op, Pair, Shape, expect, image_axes

Regions: TypeAlias = tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Resample(Op):
    """Element i along `axis` (negative) of the result is the sum over t of w[i, t] · x[starts[i] + t].

    Operands: x, w (len(starts), taps). Resizing an image is one such operation for each axis.
    """

    operands: ClassVar = (2, 2)
    axis: int
    starts: Shape

    def result(self, *shapes: Shape) -> Shape:
        shape, axis = shapes[0], len(shapes[0]) + self.axis
        if self.axis >= 0 or axis < 0:
            raise GraphError(f"a shape of {len(shape)} axes has no axis {self.axis}")
        expect("axes of the weights", 2, len(shapes[1]))
        expect("rows of weights", len(self.starts), shapes[1][0])
        if not self.starts or min(self.starts) < 0 or max(self.starts) + shapes[1][1] > shape[axis]:
            raise GraphError(f"windows of {shapes[1][1]} do not fit an axis of {shape[axis]}")
        return (*shape[:axis], len(self.starts), *shape[axis + 1 :])


@dataclass(frozen=True, slots=True)
class RegionPool(Op):
    """Maximum or mean over the product of `rows[y]` and `columns[x]`, each (first, last + 1).

    Operand: x (..., h, w, c).
    """

    kind: Literal["max", "mean"]
    rows: Regions
    columns: Regions

    def result(self, *shapes: Shape) -> Shape:
        lead, h, w, c = image_axes(shapes[0])
        _check(self.rows, h)
        _check(self.columns, w)
        return (*lead, len(self.rows), len(self.columns), c)


def _check(regions: Sequence[Pair], size: int) -> None:
    for begin, end in regions:
        if not 0 <= begin < end <= size:
            raise GraphError(f"the region {begin} to {end} does not fit an axis of {size}")


@dataclass(frozen=True, slots=True)
class ConvTranspose(Op):
    """The gradient of a convolution with respect to its input, of size `extent`.

    Each x[i, j] adds w[r, s] · x[i, j] to the result at (i·sh + r·dh − begin[0], j·sw + s·dw − begin[1]), where that
    is inside. Operands: x (..., h, w, c), w (kh, kw, c, f), optional bias (f).
    """

    operands: ClassVar = (2, 3)
    strides: Pair
    begin: Pair
    extent: Pair
    dilation: Pair = (1, 1)
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        lead, _, _, c = image_axes(shapes[0])
        expect("axes of the kernel", 4, len(shapes[1]))
        *_, channels, f = shapes[1]
        expect("input channels of the kernel", c, channels)
        expect("bias", [(f,)], [*shapes[2:]] or [(f,)])
        if min(*self.strides, *self.extent, *self.dilation) < 1 or min(self.begin) < 0:
            raise GraphError(f"a transposed convolution to {self.extent} with strides {self.strides} is impossible")
        return (*lead, *self.extent, f)
