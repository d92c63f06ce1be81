"""Shape rules: what each operation makes of its operands' shapes, and what it refuses."""

import pytest

from engine.errors import GraphError
from engine.ir import ops
from engine.ir.ops import (
    NO_PADS,
    RELU,
    Activate,
    Activation,
    Binary,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Identity,
    Op,
    Pad,
    Pool,
    Reshape,
    ScaleShift,
    Shape,
    Softmax,
    Transpose,
    broadcast,
    window_extent,
)

ONE = ((1, 1), (1, 1))

SHAPES: list[tuple[Op, tuple[Shape, ...], Shape]] = [
    (Conv(), ((5, 6, 3), (3, 2, 3, 7)), (3, 5, 7)),
    (Conv(), ((5, 6, 3), (3, 2, 3, 7), (7,)), (3, 5, 7)),
    (Conv(pads=ONE, strides=(2, 3)), ((5, 6, 3), (3, 3, 3, 7)), (3, 2, 7)),
    (Conv(dilation=(2, 1)), ((5, 6, 3), (3, 3, 3, 7)), (1, 4, 7)),
    (Conv(groups=2), ((5, 6, 4), (3, 3, 2, 6), (6,)), (3, 4, 6)),
    (Conv(), ((9, 2, 5, 6, 3), (3, 3, 3, 7)), (9, 2, 3, 4, 7)),
    (DepthwiseConv(), ((5, 6, 3), (3, 3, 3, 2), (6,)), (3, 4, 6)),
    (DepthwiseConv(pads=ONE, strides=(2, 2)), ((2, 5, 6, 3), (3, 3, 3, 1)), (2, 3, 3, 3)),
    (Dense(), ((5,), (5, 9)), (9,)),
    (Dense(RELU), ((2, 3, 5), (5, 9), (9,)), (2, 3, 9)),
    (Pool("max", (2, 2), (2, 2)), ((5, 7, 3),), (2, 3, 3)),
    (Pool("mean", (3, 3), (2, 2), ONE), ((5, 7, 3),), (3, 4, 3)),
    (GlobalPool("max"), ((5, 7, 3),), (3,)),
    (GlobalPool("mean", keepdims=True), ((4, 5, 7, 3),), (4, 1, 1, 3)),
    (Pad(((1, 2), (0, 3))), ((5, 7, 3),), (8, 10, 3)),
    (ScaleShift(), ((5, 7, 3), (3,), (3,)), (5, 7, 3)),
    (Activate(RELU), ((),), ()),
    (Softmax(), ((2, 3),), (2, 3)),
    (Binary("add"), ((2, 1, 3), (4, 1)), (2, 4, 3)),
    (Concat(), ((2, 3), (2, 5), (2, 1)), (2, 9)),
    (Concat(-2), ((2, 3), (4, 3)), (6, 3)),
    (Reshape((6,)), ((2, 3),), (6,)),
    (Reshape(()), ((1, 1),), ()),
    (Transpose((2, 0, 1)), ((4, 5, 6),), (6, 4, 5)),
    (Transpose(()), ((),), ()),
    (Identity(), ((4, 5),), (4, 5)),
]

ERRORS: list[tuple[Op, tuple[Shape, ...], str]] = [
    (Conv(), ((5, 6), (3, 3, 3, 7)), r"expected an image \(\.\.\., h, w, c\), found shape \(5, 6\)"),
    (Conv(), ((5, 6, 4), (3, 3, 3, 7)), "input channels of the kernel: expected 4, found 3"),
    (Conv(), ((5, 6, 3), (3, 3, 7)), "axes of the kernel: expected 4, found 3"),
    (Conv(), ((5, 6, 3), (3, 3, 3, 7), (8,)), r"bias: expected \[\(7,\)\], found \[\(8,\)\]"),
    (Conv(groups=2), ((5, 6, 3), (3, 3, 1, 6)), "2 groups do not divide 3 input and 6 output channels"),
    (Conv(groups=2), ((5, 6, 4), (3, 3, 2, 5)), "2 groups do not divide 4 input and 5 output channels"),
    (Conv(groups=0), ((5, 6, 4), (3, 3, 2, 5)), "0 groups do not divide"),
    (Conv(), ((5, 6, 3), (6, 3, 3, 7)), "a window of 6 with stride 1 .* does not fit an axis of 5"),
    (Conv(dilation=(3, 1)), ((5, 6, 3), (3, 3, 3, 7)), "a window of 7 with stride 1 .* does not fit an axis of 5"),
    (Conv(strides=(0, 1)), ((5, 6, 3), (3, 3, 3, 7)), "stride 0"),
    (Conv(pads=((-1, 3), (0, 0))), ((5, 6, 3), (3, 3, 3, 7)), r"padding \(-1, 3\)"),
    (DepthwiseConv(), ((5, 6, 3), (3, 3, 4, 1)), "channels of the kernel: expected 3, found 4"),
    (DepthwiseConv(), ((5, 6, 3), (3, 3)), "axes of the kernel: expected 4, found 2"),
    (DepthwiseConv(), ((5, 6, 3), (3, 3, 3, 2), (3,)), r"bias: expected \[\(6,\)\]"),
    (DepthwiseConv(dilation=(0, 1)), ((5, 6, 3), (3, 3, 3, 2)), "does not fit"),
    (Dense(), ((), (5, 9)), "found a scalar"),
    (Dense(), ((4,), (5, 9)), "features of the input: expected 5, found 4"),
    (Dense(), ((4,), (4, 9, 1)), "axes of the kernel: expected 2, found 3"),
    (Dense(), ((5,), (5, 9), (5,)), r"bias: expected \[\(9,\)\], found \[\(5,\)\]"),
    (Pool("max", (2, 2), (1, 1), ((2, 0), (0, 0))), ((5, 7, 3),), "leaves windows of 2 that hold no input"),
    (Pool("max", (6, 2), (1, 1)), ((5, 7, 3),), "does not fit an axis of 5"),
    (GlobalPool("max"), ((7, 3),), "expected an image"),
    (Pad(((0, -1), (0, 0))), ((5, 7, 3),), "padding must not be negative"),
    (ScaleShift(), ((5, 3), (4,), (3,)), r"scale: expected \(3,\), found \(4,\)"),
    (ScaleShift(), ((5, 3), (3,), (4,)), r"shift: expected \(3,\), found \(4,\)"),
    (Softmax(), ((),), "found a scalar"),
    (Binary("mul"), ((2, 3), (2,)), r"shapes \(2, 3\) and \(2,\) do not broadcast"),
    (Concat(0), ((2, 3), (2, 3)), "along axis 0"),
    (Concat(-3), ((2, 3), (2, 3)), "cannot join shapes of 2 axes along axis -3"),
    (Concat(), ((2, 3), (4, 3)), r"cannot join shapes \(2, 3\) and \(4, 3\)"),
    (Concat(), ((2, 3), (3,)), "cannot join"),
    (Reshape((7,)), ((2, 3),), r"cannot reshape \(2, 3\) to \(7,\)"),
    (Transpose((0, 0)), ((2, 3),), "no permutation"),
    (Transpose((1, 2)), ((2, 3),), "no permutation"),
]


@pytest.mark.parametrize(("op", "shapes", "expected"), SHAPES, ids=lambda v: str(v).replace(" ", ""))
def test_shape(op: Op, shapes: tuple[Shape, ...], expected: Shape) -> None:
    assert op.result(*shapes) == expected


@pytest.mark.parametrize(("op", "shapes", "message"), ERRORS, ids=range(len(ERRORS)))
def test_refused(op: Op, shapes: tuple[Shape, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        op.result(*shapes)


def test_every_operation_is_covered() -> None:
    known = {c for c in vars(ops).values() if isinstance(c, type) and issubclass(c, Op)}
    assert {type(op) for op, _, _ in SHAPES} == known - {Op}


def test_window_extent_counts_positions() -> None:
    for size in range(1, 9):
        for kernel in range(1, 5):
            for stride in range(1, 4):
                for before in range(3):
                    for dilation in (1, 2):
                        span = (kernel - 1) * dilation + 1
                        places = range(-before, size + 1 - span + 1, stride)
                        if len(places) == 0:
                            with pytest.raises(GraphError):
                                window_extent(size, kernel, stride, (before, 1), dilation)
                        else:
                            assert window_extent(size, kernel, stride, (before, 1), dilation) == len(places)


def test_broadcast_is_numpys() -> None:
    assert broadcast((), ()) == ()
    assert broadcast((3,), ()) == (3,)
    assert broadcast((1, 5), (4, 1)) == (4, 5)
    with pytest.raises(GraphError):
        broadcast((2,), (3,))


def test_unknown_activation_is_refused() -> None:
    with pytest.raises(GraphError, match="unknown activation 'rellu'"):
        Activation("rellu")


def test_defaults_are_plain() -> None:
    conv = Conv()
    assert (conv.strides, conv.pads, conv.dilation, conv.groups) == ((1, 1), NO_PADS, (1, 1), 1)
