"""Arithmetic is counted as the operation defines it; layers are found behind the operations that passes left."""

import numpy as np
import pytest

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
    GlobalPool,
    LocalDense,
    MatMul,
    Op,
    Pad,
    ScaleShift,
)
from engine.measure.layers import covered
from engine.measure.work import flops, packed, packed_bytes, value_bytes
from engine.passes import optimise
from engine.plan.machine import this_machine
from engine.plan.program import Task, plan
from tests.graphs import Net

Shapes = tuple[tuple[int, ...], ...]


def task(op: Op, values: Shapes, weights: Shapes) -> Task:
    return Task(op, 1, values, weights, op.result(*values, *weights), "any")


@pytest.mark.parametrize(
    ("op", "values", "weights", "expected"),
    [
        (Conv(), ((6, 6, 4),), ((3, 3, 4, 8), (8,)), 2 * 4 * 4 * 8 * 3 * 3 * 4),
        (Conv(groups=2), ((6, 6, 4),), ((3, 3, 2, 8),), 2 * 4 * 4 * 8 * 3 * 3 * 2),
        (DepthwiseConv(), ((6, 6, 4),), ((3, 3, 4, 2),), 2 * 4 * 4 * 8 * 9),
        (Dense(), ((5, 7),), ((7, 3),), 2 * 5 * 7 * 3),
        (MatMul(), ((5, 7), (7, 3)), (), 2 * 5 * 7 * 3),
        (LocalDense(), ((5, 7),), ((5, 7, 3),), 2 * 5 * 7 * 3),
        (GlobalPool("mean"), ((6, 6, 4),), (), 0),
        (Activate(RELU), ((6, 6, 4),), (), 0),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, Op) else None,
)
def test_flops(op: Op, values: Shapes, weights: Shapes, expected: float) -> None:
    assert flops(task(op, values, weights)) == expected


def test_flops_of_a_transposed_convolution_are_those_of_its_inputs() -> None:
    op = ConvTranspose((2, 2), (0, 0), (8, 8))
    assert flops(task(op, ((4, 4, 3),), ((2, 2, 3, 5),))) == 2 * 4 * 4 * 3 * 2 * 2 * 5


def test_values_are_counted_once_each() -> None:
    assert value_bytes(task(Binary("add"), ((6, 6, 4), (6, 6, 4)), ())) == 3 * 6 * 6 * 4 * 4


def test_packed_weights_are_counted_once_where_steps_share_them() -> None:
    net = Net()
    program = plan(net.graph(net.add(Dense(), net.input(40), net.weight(40, 30), net.weight(30))), this_machine())
    (step,) = program.steps
    assert packed_bytes(program.steps) >= 4 * (40 * 30 + 30)
    assert packed_bytes([step, step]) == packed_bytes([step])
    assert all(isinstance(array, np.ndarray) for array in packed([step]))


def test_every_step_has_its_task() -> None:
    net = Net()
    x = net.input(8, 8, 4)
    y = net.add(Activate(Activation("tanh")), net.add(Conv(), x, net.weight(3, 3, 4, 8), layer="conv"))
    program = plan(net.graph(y), this_machine())
    assert [type(o.op) for o in program.tasks] == [Conv, Activate]
    assert (program.tasks[0].values, program.tasks[0].weights) == (((8, 8, 4),), ((3, 3, 4, 8),))
    assert program.tasks[0].result == (6, 6, 8)
    assert program.tasks[-1].output == y


def test_fused_layers_are_named_with_the_operation_that_took_them() -> None:
    net = Net()
    x = net.add(Pad(((1, 1), (1, 1))), net.input(8, 8, 4), layer="pad")
    x = net.add(Activate(LINEAR), x, layer="dropout")
    conv = net.add(Conv(), x, net.weight(3, 3, 4, 8), layer="conv")
    x = net.add(ScaleShift(), conv, net.weight(8), net.weight(8), layer="norm")
    x = net.add(Activate(RELU), x, layer="relu")
    y = net.add(GlobalPool("mean"), x, layer="pool")
    z = net.add(Binary("add"), y, net.add(GlobalPool("max"), x, layer="other"), layer="sum")
    graph = net.graph(z)
    left = optimise(graph)
    found = covered(graph, (node.output for node in left.nodes))
    assert [found[node.output] for node in left.nodes] == [
        ("pad", "dropout", "conv", "norm", "relu"), ("pool",), ("other",), ("sum",),
    ]  # fmt: skip
