"""The slow twin against values worked by hand, where the meaning of an operation is not obvious."""

from math import e, inf, nan

import numpy as np
import pytest

from engine.ir import reference
from engine.ir.graph import Graph, Node
from engine.ir.ops import (
    ACTIVATIONS,
    RELU,
    Activate,
    Activation,
    Binary,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Pad,
    Pool,
    ScaleShift,
    Softmax,
    Transpose,
)
from engine.ir.reference import activate, evaluate
from tests.graphs import Net
from tests.running import constant

DENORMAL, SMALLEST = np.float32(1e-40), np.float32(1.17549435e-38)


def image(*rows: list[float]) -> np.ndarray:
    """One single-channel image as a batch."""
    return np.array(rows, np.float64)[None, ..., None]


def plain(y: np.ndarray) -> list[list[float]]:
    return y[0, ..., 0].tolist()


def test_convolution_is_not_flipped() -> None:
    x = image([1, 2, 3], [4, 5, 6])
    w = np.array([[1, 10], [100, 1000]], np.float64)[..., None, None]
    assert plain(evaluate(Conv(), x, w)) == [[5421, 6532]]


def test_convolution_pads_with_zeros_before_and_after() -> None:
    x = image([1, 2])
    w = np.array([[1, 10, 100]], np.float64)[..., None, None]
    assert plain(evaluate(Conv(pads=((0, 0), (2, 1))), x, w)) == [[100, 210, 21]]


def test_dilation_skips_and_stride_jumps() -> None:
    x = image([1, 2, 3, 4, 5, 6])
    w = np.array([[1, 10]], np.float64)[..., None, None]
    assert plain(evaluate(Conv(dilation=(1, 3), strides=(1, 2)), x, w)) == [[41, 63]]


def test_grouped_convolution_is_one_convolution_a_group() -> None:
    random = np.random.default_rng(1)
    x, w, bias = random.standard_normal((2, 5, 4, 6)), random.standard_normal((3, 2, 2, 9)), random.standard_normal(9)
    whole = evaluate(Conv(groups=3, strides=(2, 1)), x, w, bias)
    for g in range(3):
        inputs, outputs = slice(2 * g, 2 * g + 2), slice(3 * g, 3 * g + 3)
        part = evaluate(Conv(strides=(2, 1)), x[..., inputs], w[..., outputs], bias[outputs])
        np.testing.assert_allclose(whole[..., outputs], part, rtol=1e-13)


def test_depthwise_is_a_grouped_convolution_with_channels_in_order() -> None:
    random = np.random.default_rng(2)
    x, w = random.standard_normal((2, 5, 4, 3)), random.standard_normal((2, 2, 3, 2))
    grouped = evaluate(Conv(groups=3), x, w.reshape(2, 2, 1, 6))
    np.testing.assert_allclose(evaluate(DepthwiseConv(), x, w), grouped, rtol=1e-13)


def test_pointwise_convolution_is_a_dense_layer_at_each_pixel() -> None:
    random = np.random.default_rng(3)
    x, w, bias = random.standard_normal((2, 5, 4, 3)), random.standard_normal((3, 7)), random.standard_normal(7)
    dense = evaluate(Dense(RELU), x, w, bias)
    np.testing.assert_allclose(evaluate(Conv(activation=RELU), x, w[None, None], bias), dense, rtol=1e-13)


def test_average_leaves_padding_out() -> None:
    x = image([1, 2, 3], [4, 5, 6], [7, 8, 9])
    y = evaluate(Pool("mean", (2, 2), (2, 2), ((1, 0), (1, 0))), x)
    assert plain(y) == [[1, 2.5], [5.5, 7]]


def test_maximum_leaves_padding_out() -> None:
    x = image([-1, -2], [-3, -4])
    assert plain(evaluate(Pool("max", (2, 2), (1, 1), ((1, 1), (1, 1))), x)) == [
        [-1, -1, -2],
        [-1, -1, -2],
        [-3, -3, -4],
    ]


def test_axes_before_height_are_more_images() -> None:
    x = np.arange(2 * 3 * 4 * 4 * 2, dtype=np.float64).reshape(2, 3, 4, 4, 2)
    flat = x.reshape(6, 4, 4, 2)
    pool = Pool("max", (2, 2), (2, 2))
    np.testing.assert_array_equal(evaluate(pool, x).reshape(6, 2, 2, 2), evaluate(pool, flat))
    np.testing.assert_array_equal(evaluate(GlobalPool("mean"), x).reshape(6, 2), flat.mean((1, 2)))
    padded = evaluate(Pad(((1, 0), (0, 2))), x)
    assert padded.shape == (2, 3, 5, 6, 2)
    assert padded.sum() == x.sum()
    assert (padded[:, :, 1:, :4] == x).all()


def test_nan_stays_nan() -> None:
    x = np.array([nan, -1.0, 2.0])
    np.testing.assert_array_equal(activate(RELU, x), [nan, 0, 2])
    np.testing.assert_array_equal(activate(Activation("relu", a=0.5, c=1.0), x), [nan, -0.5, 1])
    y = evaluate(Pool("max", (1, 2), (1, 2)), image([nan, 1, 2, 3]))
    np.testing.assert_array_equal(y[0, 0, :, 0], [nan, 3])
    assert np.isnan(evaluate(GlobalPool("max"), image([nan, inf]))).all()
    np.testing.assert_array_equal(evaluate(Binary("max"), x, np.zeros(3)), [nan, 0, 2])
    np.testing.assert_array_equal(evaluate(Binary("min"), np.zeros(3), x), [nan, -1, 0])


@pytest.mark.parametrize("kind", [kind for kind in ACTIVATIONS if kind not in ("logical_not", "is_nan")])
def test_every_activation_keeps_nan(kind: str) -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(activate(Activation(kind, a=0.5, b=0.5), np.array([nan]))).all()


def test_softmax_of_large_numbers() -> None:
    np.testing.assert_allclose(evaluate(Softmax(), np.array([[1000.0, 1001.0]])), [[1 / (1 + e), e / (1 + e)]])
    with np.errstate(all="ignore"):
        assert np.isnan(evaluate(Softmax(), np.array([[inf, 0.0]]))).any()
    np.testing.assert_array_equal(evaluate(Softmax(), np.array([[-inf, 0.0]])), [[0, 1]])


def test_denormal_inputs_and_weights_count_as_zero() -> None:
    huge = np.float32(1e38)
    node = Node(Dense(), (0, constant("w", np.array([[huge], [DENORMAL]], np.float32))), 1, "fc")
    graph = Graph((0,), (1,), (node,), {0: (2,), 1: (1,)})
    x = np.array([[DENORMAL, huge], [-DENORMAL, -huge], [SMALLEST, 0]], np.float32)
    np.testing.assert_array_equal(reference.run(graph, [x])[1], [[0], [0], [float(SMALLEST) * float(huge)]])


def test_binary_lines_up_axes_within_an_example() -> None:
    net = Net()
    a, b = net.input(2, 3), net.input(3)
    graph = net.graph(net.add(Binary("sub"), a, b))
    x, y = np.arange(12.0).reshape(2, 2, 3), np.arange(6.0).reshape(2, 3)
    (value,) = (reference.run(graph, [x, y])[v] for v in graph.outputs)
    np.testing.assert_array_equal(value, x - y[:, None, :])


def test_binary_with_a_constant() -> None:
    net = Net()
    a, c = net.input(2, 3), constant("c", np.array([1.0, 2.0, 3.0]))
    left, right = net.add(Binary("sub"), a, c), net.add(Binary("sub"), c, a)
    values = reference.run(net.graph(left, right), [np.ones((1, 2, 3))])
    np.testing.assert_array_equal(values[left], [[[0, -1, -2]] * 2])
    np.testing.assert_array_equal(values[right], [[[0, 1, 2]] * 2])


def test_concat_counts_the_axis_from_the_end() -> None:
    a, b = np.zeros((1, 2, 3)), np.ones((1, 1, 3))
    np.testing.assert_array_equal(evaluate(Concat(-2), a, b)[0, :, 0], [0, 0, 1])


def test_transpose_keeps_the_batch_first() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(evaluate(Transpose((1, 0)), x)[1], x[1].T)


def test_scale_shift_is_along_the_last_axis() -> None:
    y = evaluate(ScaleShift(RELU), np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.array([2.0, -1.0]), np.array([0.0, 3.0]))
    assert y.tolist() == [[[2, 1], [6, 0]]]


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (Activation("relu", a=0.25, b=1.0, c=6.0), [-3, 1, 2, 7], [-1, 1, 2, 6]),
        (Activation("elu", a=2.0), [0, -inf, 3], [0, -2, 3]),
        (Activation("celu", a=2.0), [-2, 3], [2 * (1 / e - 1), 3]),
        (Activation("hard_sigmoid", a=0.2, b=0.5), [-3, 0, 1, 3], [0, 0.5, 0.7, 1]),
        (Activation("hard_swish", a=1 / 6, b=0.5), [-4, 3, 6, 1], [0, 3, 6, 2 / 3]),
        (Activation("soft_shrink", a=0.5), [-2, 0.25, 2], [-1.5, 0, 1.5]),
        (Activation("hard_shrink", a=0.5), [-2, 0.25, 0.5, 2], [-2, 0, 0, 2]),
        (Activation("squareplus", a=4.0), [0, 1.5], [1, 2]),
        (Activation("sparse_plus"), [-2, -1, 0, 1, 3], [0, 0, 0.25, 1, 3]),
        (Activation("sparse_sigmoid"), [-2, 0, 0.5, 2], [0, 0.5, 0.75, 1]),
        (Activation("threshold", a=1.0, b=-7.0), [1, 1.5], [-7, 1.5]),
        (Activation("log_sigmoid"), [-1000, 0], [-1000, -np.log(2)]),
        (Activation("softplus"), [1000, 0], [1000, np.log(2)]),
        (Activation("gelu"), [1, -1], [0.8413447460685429, -0.15865525393145707]),
        (Activation("mish"), [1], [np.tanh(np.log(1 + e))]),
        (Activation("swish"), [1], [e / (1 + e)]),
        (Activation("softsign"), [-3], [-0.75]),
        (Activation("tanh_shrink"), [1], [1 - np.tanh(1)]),
        (Activation("hard_tanh"), [-3, 0.5, 3], [-1, 0.5, 1]),
        (Activation("selu"), [1, -inf], [1.0507009873554805, -1.7580993408473766]),
    ],
    ids=lambda v: v.kind if isinstance(v, Activation) else "",
)
def test_activation_by_hand(f: Activation, x: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(activate(f, np.array(x, np.float64)), expected, rtol=1e-12, atol=1e-15)


def test_activate_node_equals_the_function() -> None:
    x = np.linspace(-3, 3, 7)[None]
    np.testing.assert_array_equal(evaluate(Activate(RELU), x), activate(RELU, x))
