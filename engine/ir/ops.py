"""The closed set of operations. Shapes are those of one example: the batch axis is never part of them.

An image is `(..., h, w, c)`: axes before `h` count as further images. Every class says how its operands are
ordered, and `result` computes the shape of its one output from theirs or raises `GraphError`.
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal, TypeAlias

from engine.errors import GraphError

Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
Pads: TypeAlias = tuple[Pair, Pair]

NO_PADS: Pads = ((0, 0), (0, 0))

ACTIVATIONS = (
    "linear", "relu", "sigmoid", "tanh", "elu", "selu", "softplus", "softsign", "swish", "gelu", "gelu_tanh",
    "hard_sigmoid", "exp", "mish", "log_sigmoid", "tanh_shrink", "soft_shrink", "hard_shrink", "celu", "squareplus",
    "sparse_plus", "sparse_sigmoid", "hard_tanh", "threshold", "hard_swish",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Activation:
    """An elementwise function with up to three float parameters.

    `relu`: `a` slope below `b`, `b` threshold, `c` upper limit: x ≥ b → min(x, c), else a·(x − b).
    `elu`, `celu`: `a` is alpha. `hard_sigmoid`, `hard_swish`: clip(a·x + b, 0, 1) (times x).
    `soft_shrink`, `hard_shrink`: `a` is the threshold. `squareplus`: `a` is b. `threshold`: x > a → x, else b.
    """

    kind: str = "linear"
    a: float = 0.0
    b: float = 0.0
    c: float = float("inf")

    def __post_init__(self) -> None:
        if self.kind not in ACTIVATIONS:
            raise GraphError(f"unknown activation {self.kind!r}")


LINEAR = Activation()
RELU = Activation("relu")


class Op:
    """Base of all operations."""

    operands: ClassVar[tuple[int, int]] = (1, 1)

    def result(self, *shapes: Shape) -> Shape:
        raise NotImplementedError


def _image(shape: Shape) -> tuple[Shape, int, int, int]:
    if len(shape) < 3:
        raise GraphError(f"expected an image (..., h, w, c), found shape {shape}")
    return shape[:-3], shape[-3], shape[-2], shape[-1]


def _expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise GraphError(f"{what}: expected {expected}, found {found}")


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
        lead, h, w, c = _image(shapes[0])
        _expect("axes of the kernel", 4, len(shapes[1]))
        kh, kw, per_group, f = shapes[1]
        if self.groups < 1 or c % self.groups or f % self.groups:
            raise GraphError(f"{self.groups} groups do not divide {c} input and {f} output channels")
        _expect("input channels of the kernel", c // self.groups, per_group)
        _expect("bias", [(f,)], [*shapes[2:]] or [(f,)])
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
        lead, h, w, c = _image(shapes[0])
        _expect("axes of the kernel", 4, len(shapes[1]))
        kh, kw, channels, m = shapes[1]
        _expect("channels of the kernel", c, channels)
        _expect("bias", [(c * m,)], [*shapes[2:]] or [(c * m,)])
        oh = window_extent(h, kh, self.strides[0], self.pads[0], self.dilation[0])
        ow = window_extent(w, kw, self.strides[1], self.pads[1], self.dilation[1])
        return (*lead, oh, ow, c * m)


@dataclass(frozen=True, slots=True)
class Dense(Op):
    """Matrix product over the last axis. Operands: x (..., k), w (k, f), optional bias (f)."""

    operands: ClassVar = (2, 3)
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        if not shapes[0]:
            raise GraphError("a dense layer needs at least one axis, found a scalar")
        _expect("axes of the kernel", 2, len(shapes[1]))
        k, f = shapes[1]
        _expect("features of the input", k, shapes[0][-1])
        _expect("bias", [(f,)], [*shapes[2:]] or [(f,)])
        return (*shapes[0][:-1], f)


@dataclass(frozen=True, slots=True)
class Pool(Op):
    """Maximum or mean over windows, channel by channel; padding never counts. Operand: x (..., h, w, c)."""

    kind: Literal["max", "mean"]
    window: Pair
    strides: Pair
    pads: Pads = NO_PADS

    def result(self, *shapes: Shape) -> Shape:
        lead, h, w, c = _image(shapes[0])
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
        lead, _, _, c = _image(shapes[0])
        return (*lead, 1, 1, c) if self.keepdims else (*lead, c)


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """Zeros around an image. Operand: x (..., h, w, c)."""

    pads: Pads

    def result(self, *shapes: Shape) -> Shape:
        lead, h, w, c = _image(shapes[0])
        if min(*self.pads[0], *self.pads[1]) < 0:
            raise GraphError(f"padding must not be negative, found {self.pads}")
        return (*lead, h + sum(self.pads[0]), w + sum(self.pads[1]), c)


@dataclass(frozen=True, slots=True)
class ScaleShift(Op):
    """x·scale + shift along the last axis. Operands: x (..., c), scale (c), shift (c)."""

    operands: ClassVar = (3, 3)
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        _expect("scale", shapes[0][-1:], shapes[1])
        _expect("shift", shapes[0][-1:], shapes[2])
        return shapes[0]


@dataclass(frozen=True, slots=True)
class Activate(Op):
    """An activation function, element by element."""

    activation: Activation

    def result(self, *shapes: Shape) -> Shape:
        return shapes[0]


@dataclass(frozen=True, slots=True)
class Softmax(Op):
    """exp(x) over its sum along the last axis."""

    def result(self, *shapes: Shape) -> Shape:
        if not shapes[0]:
            raise GraphError("softmax needs at least one axis, found a scalar")
        return shapes[0]


@dataclass(frozen=True, slots=True)
class Binary(Op):
    """Two operands, element by element, with NumPy's broadcasting over the example's axes."""

    operands: ClassVar = (2, 2)
    kind: Literal["add", "sub", "mul", "div", "max", "min"]
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        return broadcast(*shapes)


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Operands joined along `axis` (counted from the end, so negative)."""

    operands: ClassVar = (1, 1 << 20)
    axis: int = -1

    def result(self, *shapes: Shape) -> Shape:
        first, axis = shapes[0], len(shapes[0]) + self.axis
        if self.axis >= 0 or axis < 0:
            raise GraphError(f"cannot join shapes of {len(first)} axes along axis {self.axis}")
        rest = (*first[:axis], *first[axis + 1 :])
        for shape in shapes[1:]:
            if len(shape) != len(first) or (*shape[:axis], *shape[axis + 1 :]) != rest:
                raise GraphError(f"cannot join shapes {first} and {shape} along axis {self.axis}")
        return (*first[:axis], sum(s[axis] for s in shapes), *first[axis + 1 :])


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """The same elements in the same order under another shape."""

    shape: Shape

    def result(self, *shapes: Shape) -> Shape:
        if prod(shapes[0]) != prod(self.shape):
            raise GraphError(f"cannot reshape {shapes[0]} to {self.shape}")
        return self.shape


@dataclass(frozen=True, slots=True)
class Transpose(Op):
    """Axes in another order; `axes[i]` is the source of axis i. The batch axis stays first."""

    axes: Shape

    def result(self, *shapes: Shape) -> Shape:
        if sorted(self.axes) != list(range(len(shapes[0]))):
            raise GraphError(f"axes {self.axes} are no permutation of the axes of {shapes[0]}")
        return tuple(shapes[0][a] for a in self.axes)


@dataclass(frozen=True, slots=True)
class Identity(Op):
    """The operand itself: what dropout and its like are at inference."""

    def result(self, *shapes: Shape) -> Shape:
        return shapes[0]


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of an elementwise result, by NumPy's rule."""
    width = max(len(a), len(b))
    wide_a, wide_b = (1,) * (width - len(a)) + a, (1,) * (width - len(b)) + b
    for x, y in zip(wide_a, wide_b, strict=True):
        if x != y and 1 not in (x, y):
            raise GraphError(f"shapes {a} and {b} do not broadcast")
    return tuple(y if x == 1 else x for x, y in zip(wide_a, wide_b, strict=True))
