"""The problems table: for each operation, shapes that reach every tile tail, stride, padding, dilation and branch.

A problem is an operation and the shapes of its operands: x without the batch axis, then the weights.
"""

from collections.abc import Iterator
from typing import NamedTuple

from engine.ir.ops import (
    LINEAR,
    RELU,
    Activate,
    Activation,
    Binary,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Op,
    Pad,
    Pool,
    ScaleShift,
    Shape,
    Softmax,
    Transpose,
)

RELU6 = Activation("relu", c=6.0)
LEAKY = Activation("relu", a=0.25)
SWISH = Activation("swish")


class Problem(NamedTuple):
    """`values` operands come with a batch, `weights` without."""

    op: Op
    values: tuple[Shape, ...]
    weights: tuple[Shape, ...] = ()

    def __str__(self) -> str:
        shapes = "_".join("x".join(map(str, s)) or "scalar" for s in (*self.values, *self.weights))
        options = [
            f"{key}={value.kind if isinstance(value, Activation) else value}"
            for key in getattr(self.op, "__dataclass_fields__", {})
            if (value := getattr(self.op, key)) not in (LINEAR, (1, 1), 1, ((0, 0), (0, 0)))
        ]
        return "-".join([type(self.op).__name__, shapes, *options]).replace(" ", "")


def conv(x: Shape, kernel: tuple[int, int], f: int, bias: bool = True, **options: object) -> Problem:
    groups = int(options.get("groups", 1))  # type: ignore[call-overload]
    weights: tuple[Shape, ...] = ((*kernel, x[-1] // groups, f), (f,))
    return Problem(Conv(**options), (x,), weights if bias else weights[:1])  # type: ignore[arg-type]


def same(kh: int, kw: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return ((kh - 1) // 2, kh // 2), ((kw - 1) // 2, kw // 2)


def convolutions() -> Iterator[Problem]:
    for f in (1, 3, 8, 10, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65):
        yield conv((5, 6, 3), (3, 3), f, pads=same(3, 3))
        yield conv((5, 6, 5), (1, 1), f)
    for width in range(1, 34):
        yield conv((2, width, 2), (2, 1), 5, pads=((1, 0), (0, 0)))
    for c in (1, 2, 3, 4, 7, 16, 17, 33):
        yield conv((6, 5, c), (3, 3), 18, pads=same(3, 3), activation=RELU)
        yield conv((6, 5, c), (3, 3), 18, bias=False, activation=LEAKY)
    for kernel in ((1, 1), (1, 3), (3, 1), (2, 2), (5, 5), (7, 7), (4, 3)):
        for stride in ((1, 1), (2, 2), (1, 3), (3, 2)):
            yield conv((11, 13, 3), kernel, 9, strides=stride, pads=same(*kernel))
            yield conv((11, 13, 3), kernel, 9, strides=stride)
    for dilation in ((2, 2), (1, 3), (3, 1)):
        yield conv((11, 12, 4), (3, 3), 6, dilation=dilation)
        yield conv((11, 12, 4), (3, 3), 40, dilation=dilation, pads=((2, 3), (4, 1)), strides=(2, 1))
    for groups, c, f in ((2, 4, 6), (3, 9, 99), (4, 4, 4), (5, 10, 80), (2, 34, 34)):
        yield conv((6, 7, c), (3, 3), f, groups=groups, pads=same(3, 3), activation=SWISH)
        yield conv((6, 7, c), (1, 1), f, groups=groups)
        yield conv((6, 7, c), (3, 2), f, groups=groups, dilation=(2, 2), strides=(2, 1))
    yield conv((4, 4, 3), (3, 3), 5, pads=((0, 3), (5, 0)))
    yield conv((3, 5, 4, 2), (2, 2), 5, pads=same(2, 2))
    yield conv((64, 64, 24), (3, 3), 40, pads=same(3, 3))
    for h, w in ((1, 1), (2, 3), (4, 4), (5, 8), (9, 7), (14, 14)):
        yield conv((h, w, 16), (3, 3), 17, pads=same(3, 3), activation=RELU)
    yield conv((6, 9, 32), (3, 3), 66, activation=SWISH)
    yield conv((7, 5, 48), (3, 3), 33, pads=((2, 0), (0, 3)), activation=LEAKY)
    yield conv((2, 6, 6, 16), (3, 3), 8, pads=same(3, 3))
    yield conv((30, 27, 32), (3, 3), 96, pads=same(3, 3))
    yield conv((7, 7, 300), (1, 1), 200, activation=RELU6)
    yield conv((33, 3, 64), (3, 3), 200, pads=same(3, 3), activation=SWISH)


def depthwise(x: Shape, kernel: tuple[int, int], m: int = 1, **options: object) -> Problem:
    c = x[-1]
    return Problem(DepthwiseConv(**options), (x,), ((*kernel, c, m), (c * m,)))  # type: ignore[arg-type]


def depthwise_convolutions() -> Iterator[Problem]:
    for c in (1, 3, 8, 15, 16, 17, 31, 32, 33, 50):
        yield depthwise((6, 9, c), (3, 3), pads=same(3, 3), activation=RELU6)
        yield depthwise((6, 9, c), (3, 3), strides=(2, 2))
        yield depthwise((5, 4, c), (2, 3), 2, pads=same(2, 3))
    for width in range(1, 20):
        yield depthwise((2, width, 16), (2, 1), pads=((1, 0), (0, 0)))
    yield depthwise((9, 9, 5), (3, 3), 4, dilation=(2, 2), pads=((2, 2), (2, 2)), activation=SWISH)
    yield depthwise((4, 4, 2), (3, 3), 19, pads=((4, 0), (0, 5)), strides=(1, 2))
    yield depthwise((13, 11, 20), (5, 5), pads=same(5, 5), strides=(2, 1))
    yield depthwise((2, 6, 6, 7), (3, 3), pads=same(3, 3), activation=LEAKY)
    for size, stride in ((3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2), (4, 1)):
        for c in (7, 16, 40):
            yield depthwise((6, 60, c), (size, size), pads=same(size, size), strides=(stride, stride))
        yield depthwise((9, 12, 80), (size, size), pads=same(size, size), strides=(stride, stride))
    yield depthwise((30, 11, 290), (3, 3), pads=same(3, 3))
    yield depthwise((3, 64, 33), (3, 3), pads=((0, 0), (2, 0)), activation=SWISH)


def dense() -> Iterator[Problem]:
    for f in (1, 2, 10, 15, 16, 17, 32, 33, 47, 64, 100, 128):
        yield Problem(Dense(), ((7,),), ((7, f), (f,)))
    for k in (1, 2, 3, 64, 129, 1000):
        yield Problem(Dense(RELU), ((k,),), ((k, 20), (20,)))
    yield Problem(Dense(SWISH), ((3, 5),), ((5, 40),))
    yield Problem(Dense(), ((4, 3, 70, 6),), ((6, 35), (35,)))
    yield Problem(Dense(LEAKY), ((9001,),), ((9001, 70), (70,)))
    yield Problem(Dense(RELU), ((19, 512),), ((512, 40), (40,)))
    yield Problem(Dense(), ((120, 65),), ((65, 17), (17,)))


def pools() -> Iterator[Problem]:
    for kind in ("max", "mean"):
        for c in (1, 2, 8, 15, 16, 17, 33):
            yield Problem(Pool(kind, (2, 2), (2, 2)), ((6, 8, c),))
            yield Problem(Pool(kind, (3, 3), (2, 2), same(3, 3)), ((7, 9, c),))
        for window in ((1, 1), (3, 2), (2, 5), (7, 7)):
            for stride in ((1, 1), (2, 3), (4, 4)):
                yield Problem(Pool(kind, window, stride), ((9, 11, 3),))
                yield Problem(Pool(kind, window, stride, same(*window)), ((9, 11, 3),))
        yield Problem(Pool(kind, (3, 3), (1, 1), ((2, 0), (0, 2))), ((2, 5, 4, 6),))
        yield Problem(Pool(kind, (2, 2), (2, 2)), ((64, 64, 40),))
        for c in (1, 15, 16, 17, 40):
            yield Problem(GlobalPool(kind), ((5, 7, c),))
            yield Problem(GlobalPool(kind, keepdims=True), ((2, 3, 4, c),))


def elementwise() -> Iterator[Problem]:
    for c in (1, 5, 16, 17, 40):
        yield Problem(ScaleShift(), ((3, c),), ((c,), (c,)))
        yield Problem(ScaleShift(RELU), ((5000, c),), ((c,), (c,)))
        yield Problem(Activate(RELU6), ((3, c),))
        yield Problem(Activate(LEAKY), ((1000, c),))
    for kind in ("add", "sub", "mul", "max", "min"):
        yield Problem(Binary(kind), ((4, 5, 7), (4, 5, 7)))
        yield Problem(Binary(kind, RELU), ((4, 5, 33), (1, 1, 33)))
    for a, b in (
        ((), (3,)),
        ((1,), (1,)),
        ((2, 1, 3), (4, 1)),
        ((5, 1), (1, 6)),
        ((2, 3, 4, 5), (3, 1, 5)),
        ((7, 1, 17), (7, 9, 1)),
        ((3, 4, 1), (3, 4, 20)),
        ((2, 1, 2, 1, 2), (2, 3, 1, 3, 1)),
    ):
        if len(a) < 5:
            yield Problem(Binary("sub"), (a, b))
            yield Problem(Binary("sub"), (b, a))
            yield Problem(Binary("sub"), (a,), (b,))
    for pads in (((1, 1), (1, 1)), ((0, 2), (3, 0)), ((0, 0), (0, 0))):
        for c in (1, 3, 16, 19):
            yield Problem(Pad(pads), ((3, 4, c),))
    yield Problem(Pad(((1, 0), (2, 1))), ((2, 3, 4, 2),))
    for axis in (-1, -2, -3):
        shapes = [[4, 5, 6], [4, 5, 6], [4, 5, 6]]
        shapes[1][axis], shapes[2][axis] = 1, 17
        yield Problem(Concat(axis), tuple(tuple(s) for s in shapes))
    yield Problem(Concat(-1), ((33,), (3,)))
    for axes in ((1, 0), (2, 0, 1), (0, 2, 1), (3, 1, 2, 0), (4, 2, 0, 1, 3), (5, 4, 3, 2, 1, 0), (0,)):
        yield Problem(Transpose(axes), (tuple(range(2, 2 + len(axes))),))


def softmaxes() -> Iterator[Problem]:
    for c in (1, 2, 3, 10, 15, 16, 17, 31, 33, 100, 1000):
        yield Problem(Softmax(), ((c,),))
    yield Problem(Softmax(), ((3, 700, 5),))


EXACT = [*convolutions(), *depthwise_convolutions(), *dense(), *pools(), *elementwise()]
REAL = [*EXACT, *softmaxes(), Problem(Binary("div"), ((4, 5), (4, 5))), Problem(Activate(SWISH), ((70, 5),))]
