"""Operations that read windows of an image, or frame it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.errors import GraphError
from engine.ir.ops.base import LINEAR, NO_PADS, Activation, Op, Pads, Pair, Shape, expect, image_axes


def window_extent(size: int, kernel: int, stride: int, pads: Pair, dilation: int = 1) -> int:
    """Number of window positions along an axis: floor((size − span + pads) / stride) + 1."""
    span = (kernel - 1) * dilation + 1
    if min(kernel, stride, dilation) < 1 or min(pads) < 0 or size + sum(pads) < span:
        raise GraphError(f"a window of {span} with stride {stride} and padding {pads} does not fit an axis of {size}")
    return (size + sum(pads) - span) // stride + 1


@dataclass(frozen=True, slots=True)
class Conv(Op):
    """Cross-correlation. Operands: x (..., h, w, c), w (kh, kw, c/groups, f), optional bias (f)."""

    operands: ClassVar = (2, 3)
    strides: Pair = (1, 1)
    pads: Pads = NO_PADS
    dilation: Pair = (1, 1)
    groups: int = 1
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        lead, h, w, c = image_axes(shapes[0])
        expect("axes of the kernel", 4, len(shapes[1]))
        kh, kw, per_group, f = shapes[1]
        if self.groups < 1 or c % self.groups or f % self.groups:
            raise GraphError(f"{self.groups} groups do not divide {c} input and {f} output channels")
        expect("input channels of the kernel", c // self.groups, per_group)
        expect("bias", [(f,)], [*shapes[2:]] or [(f,)])
        oh = window_extent(h, kh, self.strides[0], self.pads[0], self.dilation[0])
        ow = window_extent(w, kw, self.strides[1], self.pads[1], self.dilation[1])
        return (*lead, oh, ow, f)


@dataclass(frozen=True, slots=True)
class DepthwiseConv(Op):
    """Each channel with `m` kernels of its own. Operands: x (..., h, w, c), w (kh, kw, c, m), optional bias (c·m)."""

    operands: ClassVar = (2, 3)
    strides: Pair = (1, 1)
    pads: Pads = NO_PADS
    dilation: Pair = (1, 1)
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        lead, h, w, c = image_axes(shapes[0])
        expect("axes of the kernel", 4, len(shapes[1]))
        kh, kw, channels, m = shapes[1]
        expect("channels of the kernel", c, channels)
        expect("bias", [(c * m,)], [*shapes[2:]] or [(c * m,)])
        oh = window_extent(h, kh, self.strides[0], self.pads[0], self.dilation[0])
        ow = window_extent(w, kw, self.strides[1], self.pads[1], self.dilation[1])
        return (*lead, oh, ow, c * m)


@dataclass(frozen=True, slots=True)
class Pool(Op):
    """Maximum or mean over windows, channel by channel; padding never counts. Operand: x (..., h, w, c)."""

    kind: Literal["max", "mean"]
    window: Pair
    strides: Pair
    pads: Pads = NO_PADS

    def result(self, *shapes: Shape) -> Shape:
        lead, h, w, c = image_axes(shapes[0])
        for size, pads in zip(self.window, self.pads, strict=True):
            if max(pads) >= size:
                raise GraphError(f"padding {pads} leaves windows of {size} that hold no input")
        oh = window_extent(h, self.window[0], self.strides[0], self.pads[0])
        ow = window_extent(w, self.window[1], self.strides[1], self.pads[1])
        return (*lead, oh, ow, c)


@dataclass(frozen=True, slots=True)
class GlobalPool(Op):
    """Maximum or mean over h and w. Operand: x (..., h, w, c); result (..., c), or (..., 1, 1, c)."""

    kind: Literal["max", "mean"]
    keepdims: bool = False

    def result(self, *shapes: Shape) -> Shape:
        lead, _, _, c = image_axes(shapes[0])
        return (*lead, 1, 1, c) if self.keepdims else (*lead, c)


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """Zeros around an image. Operand: x (..., h, w, c)."""

    pads: Pads

    def result(self, *shapes: Shape) -> Shape:
        lead, h, w, c = image_axes(shapes[0])
        if min(*self.pads[0], *self.pads[1]) < 0:
            raise GraphError(f"padding must not be negative, found {self.pads}")
        return (*lead, h + sum(self.pads[0]), w + sum(self.pads[1]), c)


@dataclass(frozen=True, slots=True)
class NormPool(Op):
    """The p-norm of each window, channel by channel: (sum of |x|^p)^(1/p). Operand: x (..., h, w, c).

    `stochastic`: the sum of a²/(sum of a) with a = max(x, 0), and 0 where no cell is positive: what stochastic pooling
    expects (Zeiler and Fergus, Stochastic Pooling for Regularization of Deep Convolutional Neural Networks, 2013).
    """

    kind: Literal["norm", "stochastic"]
    window: Pair
    strides: Pair
    pads: Pads = NO_PADS
    p: float = 2.0

    def result(self, *shapes: Shape) -> Shape:
        if self.p <= 0:
            raise GraphError(f"the exponent of a norm must be positive, found {self.p}")
        return Pool("max", self.window, self.strides, self.pads).result(*shapes)
