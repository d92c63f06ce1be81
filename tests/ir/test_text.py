"""The printed form of a graph: stable, one line a node."""

import numpy as np

from engine.ir.ops import RELU, Activate, Activation, Binary, Concat, Conv, Dense, GlobalPool, Pool, Softmax
from engine.ir.text import format_graph
from tests.graphs import Net
from tests.running import constant

EXPECTED = """\
%0 = input : [28,28,1]
%1 = conv %0 w0[3,3,1,8] w0[8] pads=((1, 1), (1, 1)) relu : [28,28,8]  # conv1
%2 = pool %1 kind=max window=(2, 2) strides=(2, 2) : [14,14,8]  # pool1
%3 = activate %2 relu(a=0.25, c=6) : [14,14,8]  # leaky
%4 = binary %3 %2 kind=add : [14,14,8]  # add
%5 = concat %4 %3 axis=-2 : [14,28,8]  # both
%6 = global_pool %5 kind=mean : [8]  # gap
%7 = dense %6 w6[8,10] : [10]  # logits
%8 = softmax %7 : [10]  # logits
return %8 %6"""


def test_small_net() -> None:
    net = Net()
    x = net.input(28, 28, 1)
    x = net.add(Conv(pads=((1, 1), (1, 1)), activation=RELU), x, net.weight(3, 3, 1, 8), net.weight(8), layer="conv1")
    x = net.add(Pool("max", (2, 2), (2, 2)), x, layer="pool1")
    leaky = net.add(Activate(Activation("relu", a=0.25, c=6.0)), x, layer="leaky")
    x = net.add(Binary("add"), leaky, x, layer="add")
    x = net.add(Concat(-2), x, leaky, layer="both")
    gap = net.add(GlobalPool("mean"), x, layer="gap")
    x = net.add(Dense(), gap, net.weight(8, 10), layer="logits")
    x = net.add(Softmax(), x, layer="logits")
    assert format_graph(net.graph(x, gap)) == EXPECTED


def test_weights_are_named_without_their_layer() -> None:
    net = Net()
    x = net.input(2)
    y = net.add(Dense(), x, constant("block/fc/kernel", np.zeros((2, 2))))
    assert "dense %0 kernel[2,2] :" in format_graph(net.graph(y))


def test_a_scalar_and_no_nodes() -> None:
    net = Net()
    x = net.input()
    assert format_graph(net.graph(x)) == "%0 = input : []\nreturn %0"
