"""Random networks: what passes and plans must get right without anybody having thought of it."""

from collections.abc import Callable
from math import prod

import numpy as np

from engine.ir.graph import Graph
from engine.ir.ops import (
    LINEAR,
    RELU,
    Activate,
    Activation,
    Binary,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    Gather,
    GlobalPool,
    Identity,
    Normalize,
    Pad,
    Pool,
    Reduce,
    Resample,
    Reshape,
    ScaleShift,
    Shape,
    Slice,
    Softmax,
    Transpose,
)
from tests.graphs import Net

ACTIVATIONS = (LINEAR, LINEAR, RELU, Activation("relu", a=0.25, c=6.0), Activation("tanh"), Activation("swish"))


def random_graph(seed: int, nodes: int = 12) -> tuple[Graph, Net]:
    """A verified graph of about `nodes` nodes, and the net that draws inputs for it.

    Most nodes continue from the newest value, so that chains arise which passes fuse; the others read older values,
    which are then shared. Whatever nobody reads is an output, and so are a few values that are read.
    """
    net = Net(seed)
    random = net.random
    for _ in range(random.integers(1, 3)):
        net.input(int(random.integers(4, 8)), int(random.integers(4, 8)), int(random.choice([2, 4])))
    while len(net.nodes) < nodes:
        x = len(net.shapes) - 1 if random.random() < 0.75 else int(random.integers(len(net.shapes)))
        makers = IMAGE if len(net.shapes[x]) >= 3 else ANY
        makers[random.integers(len(makers))](net, x)
    read = {v for node in net.nodes for v in node.values}
    outputs = [v for v in net.shapes if v not in read and v not in net.inputs]
    outputs += [int(v) for v in random.choice(len(net.shapes), random.integers(0, 3))]
    random.shuffle(outputs)
    return net.graph(*outputs), net


def _activation(net: Net) -> Activation:
    return ACTIVATIONS[net.random.integers(len(ACTIVATIONS))]


def _pads(net: Net, most: int) -> tuple[tuple[int, int], tuple[int, int]]:
    (t, b), (le, r) = net.random.integers(0, most + 1, (2, 2)).tolist()
    return (t, b), (le, r)


def _conv(net: Net, x: int) -> None:
    h, w, c = net.shapes[x][-3:]
    kh, kw = (int(net.random.integers(1, min(3, s) + 1)) for s in (h, w))
    groups = 2 if c % 2 == 0 and net.random.random() < 0.3 else 1
    f = 2 * int(net.random.integers(1, 4))
    weights = [net.kernel(kh, kw, c // groups, f), net.weight(f)][: net.random.integers(1, 3)]
    op = Conv((int(net.random.integers(1, 3)), 1), _pads(net, 1), groups=groups, activation=_activation(net))
    net.add(op, x, *weights)


def _depthwise(net: Net, x: int) -> None:
    h, w, c = net.shapes[x][-3:]
    m = 2 if c <= 4 and net.random.random() < 0.5 else 1
    kernel = net.kernel(min(2, h), min(3, w), c, m)
    net.add(DepthwiseConv(pads=_pads(net, 1), activation=_activation(net)), x, kernel, net.weight(c * m))


def _dense(net: Net, x: int) -> None:
    f = int(net.random.integers(1, 8))
    net.add(Dense(_activation(net)), x, net.kernel(net.shapes[x][-1], f), net.weight(f))


def _scale_shift(net: Net, x: int) -> None:
    c = net.shapes[x][-1]
    net.add(ScaleShift(_activation(net)), x, net.weight(c), net.weight(c))


def _activate(net: Net, x: int) -> None:
    net.add(Activate(_activation(net)), x)


def _pad(net: Net, x: int) -> None:
    net.add(Pad(_pads(net, 2)), x)


def _pool(net: Net, x: int) -> None:
    kind = ("max", "mean")[net.random.integers(2)]
    size = min(2, *net.shapes[x][-3:-1])
    if net.random.random() < 0.2:
        net.add(GlobalPool(kind, keepdims=True), x)
    else:
        net.add(Pool(kind, (size, size), (int(net.random.integers(1, 3)),) * 2), x)


def _transpose(net: Net, x: int) -> None:
    axes = tuple(int(a) for a in net.random.permutation(len(net.shapes[x])))
    y = net.add(Transpose(axes), x)
    if net.random.random() < 0.6:
        if net.random.random() < 0.5:
            y = net.add(Activate(_activation(net)), y)
        net.add(Transpose(tuple(int(a) for a in np.argsort(axes))), y)


def _identity(net: Net, x: int) -> None:
    net.add(Identity() if net.random.random() < 0.5 else Reshape(net.shapes[x]), x)


def _flatten(net: Net, x: int) -> None:
    net.add(Reshape((prod(net.shapes[x]),)), x)


def _softmax(net: Net, x: int) -> None:
    net.add(Softmax(), x)


def _binary(net: Net, x: int) -> None:
    others = [v for v in net.shapes if _broadcasts(net.shapes[v], net.shapes[x])]
    kind = ("add", "sub", "mul", "max", "min")[net.random.integers(5)]
    pair = [x, others[net.random.integers(len(others))]]
    net.random.shuffle(pair)
    net.add(Binary(kind, _activation(net)), *(int(v) for v in pair))


def _concat(net: Net, x: int) -> None:
    others = [v for v in net.shapes if net.shapes[v][:-1] == net.shapes[x][:-1]]
    net.add(Concat(), x, others[net.random.integers(len(others))])


def _conv_transpose(net: Net, x: int) -> None:
    h, w, c = net.shapes[x][-3:]
    kh, kw, f = int(net.random.integers(1, 4)), int(net.random.integers(1, 4)), int(net.random.integers(1, 5))
    sh, sw = net.random.integers(1, 3, 2).tolist() if h * w < 100 else (1, 1)
    top, left = int(net.random.integers(kh)), int(net.random.integers(kw))
    extent = (h - 1) * sh + kh - top, (w - 1) * sw + kw - left + int(net.random.integers(3))
    op = ConvTranspose((sh, sw), (top, left), extent, activation=_activation(net))
    net.add(op, x, *[net.kernel(kh, kw, c, f), net.weight(f)][: net.random.integers(1, 3)])


def _slice(net: Net, x: int) -> None:
    shape = net.shapes[x]
    begin = [int(net.random.integers(size)) for size in shape]
    steps = [int(net.random.choice([-1, 0, 1, 1, 2])) for _ in shape]
    room = [b if s < 0 else n - 1 - b for n, b, s in zip(shape, begin, steps, strict=True)]
    count = [2 if s == 0 else r // abs(s) + 1 for r, s in zip(room, steps, strict=True)]
    net.add(Slice(tuple(begin), tuple(count), tuple(steps)), x)


def _gather(net: Net, x: int) -> None:
    axis = -int(net.random.integers(1, len(net.shapes[x]) + 1))
    net.add(Gather(axis, tuple(net.random.integers(net.shapes[x][axis], size=3).tolist())), x)


def _reduce(net: Net, x: int) -> None:
    axes = net.random.permutation(len(net.shapes[x]))[: net.random.integers(1, 3)]
    kind = ("sum", "mean", "max", "min")[net.random.integers(4)]
    net.add(Reduce(kind, tuple(-1 - int(a) for a in axes), bool(net.random.integers(2) or len(axes) > 1)), x)


def _normalize(net: Net, x: int) -> None:
    c = net.shapes[x][-1]
    net.add(Normalize(1e-2, bool(net.random.integers(2))), x, net.weight(c), net.weight(c))


def _resample(net: Net, x: int) -> None:
    axis = -int(net.random.integers(1, len(net.shapes[x]) + 1))
    taps = int(net.random.integers(1, net.shapes[x][axis] + 1))
    starts = net.random.integers(net.shapes[x][axis] - taps + 1, size=4).tolist()
    net.add(Resample(axis, tuple(starts)), x, net.kernel(4, taps))


def _broadcasts(a: Shape, b: Shape) -> bool:
    return all(x == y or 1 in (x, y) for x, y in zip(a[::-1], b[::-1], strict=False)) and max(len(a), len(b)) <= 4


Maker = Callable[[Net, int], None]
ANY: tuple[Maker, ...] = (
    _dense, _dense, _scale_shift, _activate, _activate, _transpose, _identity, _softmax, _binary, _concat,
    _gather, _normalize, _resample, _slice,
)  # fmt: skip
IMAGE: tuple[Maker, ...] = (
    _conv, _conv, _conv, _depthwise, _pad, _pool, _scale_shift, _scale_shift, _activate, _activate, _transpose,
    _identity, _binary, _binary, _concat, _dense, _flatten, _conv_transpose, _reduce, _slice, _normalize, _resample,
)  # fmt: skip
