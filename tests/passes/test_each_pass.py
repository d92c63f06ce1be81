"""Each pass on graphs small enough to see what it does, and where it must keep its hands off."""

import numpy as np
import pytest

from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import (
    LINEAR,
    RELU,
    Activate,
    Activation,
    Binary,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    Identity,
    Op,
    Pad,
    Pool,
    Reshape,
    ScaleShift,
    Transpose,
)
from engine.ir.verify import verify
from engine.passes.cancel_transposes import cancel_transposes
from engine.passes.drop_identities import drop_identities
from engine.passes.expand_conv_transpose import expand_conv_transpose
from engine.passes.fold_pad import fold_pad
from engine.passes.fold_scale_before import fold_scale_before
from engine.passes.fold_scale_shift import fold_scale_shift
from engine.passes.fuse_activation import fuse_activation
from engine.passes.simplify_conv import simplify_conv
from tests.graphs import Net, ops_of
from tests.running import constant

TANH = Activation("tanh")
ONE = ((1, 1), (1, 1))


def check(before: Graph, after: Graph, net: Net) -> None:
    """The pass kept every rule and every output."""
    verify(after)
    inputs = net.batch(2)
    expected, found = reference.run(before, inputs), reference.run(after, inputs)
    for a, b in zip(before.outputs, after.outputs, strict=True):
        np.testing.assert_allclose(found[b], expected[a], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("op", [Identity(), Reshape((4,)), Activate(LINEAR)], ids=lambda op: type(op).__name__)
def test_what_changes_nothing_is_dropped(op: Op) -> None:
    net = Net()
    x = net.input(4)
    y = net.add(op, net.add(op, x))
    before = net.graph(net.add(Activate(RELU), y), y)
    after = drop_identities(before)
    assert ops_of(after) == ["Activate"]
    assert after.outputs[1] == x
    check(before, after, net)


def test_a_reshape_that_changes_the_shape_stays() -> None:
    net = Net()
    before = net.graph(net.add(Reshape((2, 2)), net.input(4)))
    assert ops_of(drop_identities(before)) == ["Reshape"]


def transposes(*permutations: tuple[int, ...]) -> tuple[Net, Graph]:
    net = Net()
    x = net.input(2, 3, 4)
    for axes in permutations:
        x = net.add(Transpose(axes), x)
    return net, net.graph(x)


def test_opposite_transposes_vanish() -> None:
    net, before = transposes((2, 0, 1), (1, 2, 0))
    after = cancel_transposes(before)
    assert ops_of(after) == []
    assert after.outputs == before.inputs
    check(before, after, net)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_transposes_in_a_row_become_one(count: int) -> None:
    net, before = transposes(*[(2, 0, 1), (0, 2, 1), (1, 0, 2), (2, 0, 1), (2, 1, 0)][:count])
    after = cancel_transposes(before)
    assert ops_of(after) == ([] if count == 4 else ["Transpose"])
    check(before, after, net)


def test_a_transpose_that_changes_nothing_vanishes() -> None:
    assert ops_of(cancel_transposes(transposes((0, 1, 2))[1])) == []


def test_transposes_move_behind_activations_and_meet() -> None:
    net = Net()
    x = net.add(Transpose((2, 0, 1)), net.input(2, 3, 4))
    x = net.add(Activate(TANH), net.add(Activate(RELU), x))
    before = net.graph(net.add(Transpose((1, 2, 0)), x))
    after = cancel_transposes(before)
    assert ops_of(after) == ["Activate", "Activate"]
    check(before, after, net)


def test_a_transposed_value_with_two_readers_stays() -> None:
    net = Net()
    x = net.add(Transpose((1, 0)), net.input(3, 4))
    back = net.add(Transpose((1, 0)), net.add(Activate(RELU), x))
    before = net.graph(back, x)
    after = cancel_transposes(before)
    assert ops_of(after).count("Transpose") == 2
    check(before, after, net)


@pytest.mark.parametrize("depthwise", [False, True])
def test_pads_are_added_to_the_convolution(depthwise: bool) -> None:
    net = Net()
    x = net.add(Pad(((1, 2), (0, 3))), net.input(4, 5, 2))
    op = DepthwiseConv(pads=ONE) if depthwise else Conv(pads=ONE, strides=(2, 1))
    before = net.graph(net.add(op, x, net.weight(3, 3, 2, 2)))
    after = fold_pad(before)
    assert ops_of(after) == [type(op).__name__]
    assert after.nodes[0].op.pads == ((2, 3), (1, 4))
    check(before, after, net)


def test_a_pad_with_other_readers_stays_for_them() -> None:
    net = Net()
    x = net.add(Pad(ONE), net.input(4, 5, 2))
    conv = net.add(Conv(), x, net.weight(3, 3, 2, 2))
    before = net.graph(conv, net.add(Pool("mean", (2, 2), (2, 2)), x))
    after = fold_pad(before)
    assert ops_of(after) == ["Pad", "Conv", "Pool"]
    assert after.nodes[1].operands[0] == before.inputs[0]
    check(before, after, net)


def test_a_pad_before_a_pool_stays() -> None:
    net = Net()
    before = net.graph(net.add(Pool("max", (2, 2), (2, 2)), net.add(Pad(ONE), net.input(4, 4, 1))))
    assert ops_of(fold_pad(before)) == ["Pad", "Pool"]


PRODUCTS = [
    (Conv(), (5, 5, 4), (3, 3, 4, 6)),
    (Conv(groups=2), (5, 5, 4), (3, 3, 2, 6)),
    (DepthwiseConv(), (5, 5, 3), (3, 3, 3, 2)),
    (Dense(), (4,), (4, 6)),
    (Dense(), (3, 2, 4), (4, 6)),
]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("op", "shape", "kernel"), PRODUCTS)
def test_scales_go_into_the_weights(op: Op, shape: tuple[int, ...], kernel: tuple[int, ...], bias: bool) -> None:
    net = Net()
    x = net.add(op, net.input(*shape), net.weight(*kernel), *[net.weight(6)] * bias)
    x = net.add(ScaleShift(), x, net.weight(6), net.weight(6))
    before = net.graph(net.add(ScaleShift(RELU), x, net.weight(6), net.weight(6)))
    after = fold_scale_shift(before)
    assert ops_of(after) == [type(op).__name__]
    assert after.nodes[0].op.activation == RELU
    check(before, after, net)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("op", "shape", "kernel"),
    [
        (Conv((2, 1)), (6, 7, 3), (3, 3, 3, 4)),
        (DepthwiseConv(activation=RELU), (6, 7, 3), (3, 2, 3, 2)),
        (Dense(), (5, 3), (3, 4)),
    ],
    ids=str,
)
def test_a_scale_before_goes_into_the_weights(
    op: Op, shape: tuple[int, ...], kernel: tuple[int, ...], bias: bool
) -> None:
    net = Net()
    x = net.add(ScaleShift(), net.input(*shape), net.weight(3), net.weight(3))
    outputs = kernel[-1] * (kernel[-2] if isinstance(op, DepthwiseConv) else 1)
    before = net.graph(net.add(op, x, net.weight(*kernel), *[net.weight(outputs)] * bias))
    after = fold_scale_before(before)
    assert ops_of(after) == [type(op).__name__]
    check(before, after, net)


def test_padding_keeps_a_shift_but_not_a_scale() -> None:
    net = Net()
    x = net.input(5, 5, 3)
    zero = constant("zero", np.zeros(3, np.float32))
    shifted = net.add(ScaleShift(), x, net.weight(3), net.weight(3))
    scaled = net.add(ScaleShift(), x, net.weight(3), zero)
    before = net.graph(*(net.add(Conv(pads=ONE), y, net.weight(3, 3, 3, 2)) for y in (shifted, scaled)))
    after = fold_scale_before(before)
    assert ops_of(after) == ["ScaleShift", "Conv", "Conv"]
    check(before, after, net)


def test_what_is_scaled_and_read_twice_stays() -> None:
    net = Net()
    x = net.add(ScaleShift(), net.input(4, 3), net.weight(3), net.weight(3))
    before = net.graph(net.add(Dense(), x, net.weight(3, 2)), net.add(Dense(), x, net.weight(3, 2)))
    assert ops_of(fold_scale_before(before)) == ["ScaleShift", "Dense", "Dense"]


def test_two_scales_are_one() -> None:
    net = Net()
    x = net.add(ScaleShift(), net.input(5, 3), net.weight(3), net.weight(3))
    before = net.graph(net.add(ScaleShift(RELU), x, net.weight(3), net.weight(3)))
    after = fold_scale_shift(before)
    assert ops_of(after) == ["ScaleShift"]
    check(before, after, net)


def test_a_scale_stays_behind_an_activation() -> None:
    net = Net()
    x = net.add(Dense(RELU), net.input(4), net.weight(4, 6))
    before = net.graph(net.add(ScaleShift(), x, net.weight(6), net.weight(6)))
    assert ops_of(fold_scale_shift(before)) == ["Dense", "ScaleShift"]


def test_nothing_is_folded_behind_a_scale_with_an_activation() -> None:
    net = Net()
    x = net.add(Dense(), net.input(4), net.weight(4, 6))
    x = net.add(ScaleShift(RELU), x, net.weight(6), net.weight(6))
    before = net.graph(net.add(ScaleShift(), x, net.weight(6), net.weight(6)))
    after = fold_scale_shift(before)
    assert ops_of(after) == ["Dense", "ScaleShift"]
    check(before, after, net)


@pytest.mark.parametrize("op", [ScaleShift(), Activate(RELU)], ids=lambda op: type(op).__name__)
@pytest.mark.parametrize("other", ["output", "reader"])
def test_a_product_that_is_read_elsewhere_stays_as_it_is(op: Op, other: str) -> None:
    net = Net()
    product = net.add(Conv(), net.input(4, 4, 2), net.weight(3, 3, 2, 2))
    weights = [net.weight(2), net.weight(2)] if isinstance(op, ScaleShift) else []
    y = net.add(op, product, *weights)
    before = net.graph(y, product if other == "output" else net.add(Activate(TANH), product))
    after = fuse_activation(fold_scale_shift(before))
    assert ops_of(after) == ops_of(before)
    check(before, after, net)


FUSING = [
    (Conv(), (4, 4, 2), (3, 3, 2, 2)),
    (DepthwiseConv(), (4, 4, 2), (3, 3, 2, 1)),
    (Dense(), (3,), (3, 2)),
]


@pytest.mark.parametrize(("op", "shape", "kernel"), FUSING)
def test_an_activation_is_fused(op: Op, shape: tuple[int, ...], kernel: tuple[int, ...]) -> None:
    net = Net()
    before = net.graph(net.add(Activate(TANH), net.add(op, net.input(*shape), net.weight(*kernel))))
    after = fuse_activation(before)
    assert ops_of(after) == [type(op).__name__]
    assert after.nodes[0].op.activation == TANH
    check(before, after, net)


def test_an_activation_is_fused_into_sums_and_scales() -> None:
    net = Net()
    x = net.input(3)
    y = net.add(Activate(TANH), net.add(Binary("add"), x, x))
    before = net.graph(net.add(Activate(RELU), net.add(ScaleShift(), y, net.weight(3), net.weight(3))))
    after = fuse_activation(before)
    assert ops_of(after) == ["Binary", "ScaleShift"]
    check(before, after, net)


def test_only_the_first_of_two_activations_is_fused() -> None:
    net = Net()
    x = net.add(Dense(), net.input(3), net.weight(3, 4))
    before = net.graph(net.add(Activate(RELU), net.add(Activate(TANH), x)))
    after = fuse_activation(before)
    assert ops_of(after) == ["Dense", "Activate"]
    assert [node.op.activation for node in after.nodes] == [TANH, RELU]
    check(before, after, net)


@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (3, 1), (1, 4)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3)])
@pytest.mark.parametrize(("begin", "more"), [((0, 0), (0, 0)), ((1, 2), (0, 0)), ((0, 1), (3, 5)), ((2, 0), (-2, -1))])
def test_transposed_convolutions_are_expanded(
    strides: tuple[int, int], dilation: tuple[int, int], begin: tuple[int, int], more: tuple[int, int]
) -> None:
    net = Net()
    kernel, size = (3, 2), (4, 5)
    extent = [(n - 1) * s + (k - 1) * d + 1 - b + m for n, s, k, d, b, m in zip(
        size, strides, kernel, dilation, begin, more, strict=True)]  # fmt: skip
    op = ConvTranspose(strides, begin, (extent[0], extent[1]), dilation, TANH)
    y = net.add(op, net.input(2, *size, 3), net.weight(*kernel, 3, 4), net.weight(4))
    before = net.graph(y, net.add(Activate(RELU), y))
    after = expand_conv_transpose(before)
    assert "ConvTranspose" not in ops_of(after)
    check(before, after, net)


def test_a_transposed_convolution_takes_what_follows() -> None:
    net = Net()
    x = net.add(ConvTranspose((2, 2), (1, 1), (8, 8)), net.input(4, 4, 3), net.weight(3, 3, 3, 4))
    x = net.add(Activate(RELU), net.add(ScaleShift(), x, net.weight(4), net.weight(4)))
    before = net.graph(x)
    after = fuse_activation(fold_scale_shift(before))
    assert ops_of(after) == ["ConvTranspose"]
    check(before, after, net)


def test_a_group_of_one_channel_is_a_depthwise_convolution() -> None:
    net = Net()
    x = net.input(6, 7, 3)
    before = net.graph(net.add(Conv((2, 1), ONE, groups=3, activation=RELU), x, net.weight(3, 3, 1, 6), net.weight(6)))
    after = simplify_conv(before)
    assert ops_of(after) == ["DepthwiseConv"]
    check(before, after, net)


def test_groups_of_several_channels_stay() -> None:
    net = Net()
    x = net.input(5, 5, 4)
    before = net.graph(net.add(Conv(groups=2), x, net.weight(3, 3, 2, 4)))
    assert ops_of(simplify_conv(before)) == ["Conv"]


def test_pixels_that_a_strided_pointwise_convolution_skips_are_left_out_first() -> None:
    net = Net()
    x = net.input(2, 7, 8, 3)
    before = net.graph(net.add(Conv((3, 2), activation=RELU), x, net.weight(1, 1, 3, 5), net.weight(5)))
    after = simplify_conv(before)
    assert ops_of(after) == ["Slice", "Conv"]
    assert after.shapes[after.nodes[0].output] == (2, 3, 4, 3)
    check(before, after, net)


@pytest.mark.parametrize("op", [Conv((2, 2), ONE), Conv((1, 1)), Conv((2, 2), groups=2)], ids=str)
def test_other_pointwise_convolutions_stay(op: Conv) -> None:
    net = Net()
    x = net.input(7, 7, 4)
    before = net.graph(net.add(op, x, net.weight(1, 1, 4 // op.groups, 4)))
    assert ops_of(simplify_conv(before)) == ["Conv"]
