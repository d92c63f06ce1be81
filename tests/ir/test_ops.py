"""Shape rules: what each operation makes of its operands' shapes, and what it refuses."""

import pytest

from engine.errors import GraphError
from engine.ir import ops
from engine.ir.ops import NO_PADS, Activation, Conv, Op, Shape, broadcast, window_extent
from tests.ir import shapes, shapes_axes

SHAPES = [*shapes.SHAPES, *shapes_axes.SHAPES]
ERRORS = [*shapes.ERRORS, *shapes_axes.ERRORS]


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
