"""Which algorithms may compute a node, and which one is taken: two questions, two functions."""

from dataclasses import replace

import pytest

from engine.errors import GraphError
from engine.ir import ops
from engine.ir.graph import Graph
from engine.ir.ops import Binary, Conv, Dense, HostCall, Identity, Op, Reshape, Transpose
from engine.kernels.isa import ISAS
from engine.plan.choose import ALGORITHMS, choose, legal
from engine.plan.machine import Machine
from engine.plan.program import plan
from engine.plan.site import Site
from tests.graphs import Net
from tests.kernels.problems import Problem
from tests.kernels.test_problems import REAL

MACHINE = Machine(ISAS[0])


def conv_site(op: Conv, kernel: int) -> Site:
    net = Net()
    net.add(op, net.input(8, 8, 4), net.weight(kernel, kernel, 4 // op.groups, 8), layer="conv")
    return Site(net.nodes[0], net.graph(1), MACHINE)


class Fake:
    """An algorithm with a cost and nothing else."""

    def __init__(self, name: str, cost: float) -> None:
        self.name, self._cost = name, cost

    def cost(self, site: Site) -> float:
        return self._cost


def test_the_cheapest_is_taken_and_of_equals_the_first() -> None:
    fakes = [Fake("slow", 3.0), Fake("first", 1.0), Fake("second", 1.0)]
    assert choose(fakes, conv_site(Conv(), 3)).name == "first"  # type: ignore[arg-type]


def test_pointwise_is_legal_only_for_plain_one_by_one() -> None:
    def names(site: Site) -> list[str]:
        return [a.name for a in legal(site)]

    assert "conv_pointwise" in names(conv_site(Conv(), 1))
    for op, kernel in (
        (Conv(), 3),
        (Conv(strides=(2, 1)), 1),
        (Conv(pads=((1, 0), (0, 0))), 1),
        (Conv(groups=2), 1),
    ):
        found = names(conv_site(op, kernel))
        assert found
        assert "conv_pointwise" not in found


def test_every_problem_has_an_algorithm_with_a_cost() -> None:
    for problem in REAL:
        site = site_of(problem)
        for algorithm in legal(site):
            assert algorithm.cost(site) >= 0


def site_of(problem: Problem) -> Site:
    net = Net()
    operands = [net.input(*s) for s in problem.values] + [net.weight(*s) for s in problem.weights]
    y = net.add(problem.op, *operands)
    return Site(net.nodes[0], net.graph(y), MACHINE)


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (Transpose((6, 5, 4, 3, 2, 1, 0)), [(2, 2, 2, 2, 2, 2, 2)]),
        (Binary("add"), [(2, 1, 2, 1, 2, 1), (1, 2, 1, 2, 1, 2)]),
    ],
    ids=["transpose", "binary"],
)
def test_no_algorithm_names_the_layer(op: Op, shapes: list[tuple[int, ...]]) -> None:
    net = Net()
    graph = net.graph(net.add(op, *(net.input(*s) for s in shapes), layer="odd one"))
    name = type(op).__name__
    with pytest.raises(GraphError, match=f"layer 'odd one': no algorithm for {name} on "):
        plan(graph, MACHINE)


def test_plan_asks_with_legal_candidates_and_uses_the_answer() -> None:
    net = Net()
    x = net.add(Conv(), net.input(4, 4, 2), net.weight(1, 1, 2, 3), layer="conv")
    graph = net.graph(net.add(Dense(), x, net.weight(3, 2), layer="fc"))
    asked = []

    def last(candidates: object, site: Site) -> object:
        asked.append((site.node.layer, [a.name for a in candidates]))  # type: ignore[attr-defined]
        return candidates[-1]  # type: ignore[index]

    program = plan(graph, MACHINE, last)  # type: ignore[arg-type]
    assert [layer for layer, _ in asked] == ["conv", "fc"]
    assert asked[0][1] == [a.name for a in legal(Site(graph.nodes[0], graph, MACHINE))]
    assert program.steps[0].kernel == "conv_direct"


def test_every_operation_that_computes_has_algorithms() -> None:
    known = {c for c in vars(ops).values() if isinstance(c, type) and issubclass(c, Op)}
    assert known - {HostCall, Op, Reshape, Identity} <= set(ALGORITHMS) <= known


def test_one_name_is_one_algorithm() -> None:
    names = [a.name for algorithms in ALGORITHMS.values() for a in algorithms]
    assert len(names) == len(set(names))


def test_legality_does_not_depend_on_the_machine() -> None:
    site = conv_site(Conv(), 1)
    for isa in ISAS:
        small = replace(site, machine=Machine(isa, 1 << 10, 1 << 12, 1 << 14))
        assert [a.name for a in legal(small)] == [a.name for a in legal(site)]


def test_a_graph_without_nodes_is_a_program_without_steps() -> None:
    program = plan(Graph((0,), (0,), (), {0: (3,)}), MACHINE)
    assert program.steps == ()
    assert program.arena >= 12
    assert (program.scratch, program.work, program.kernels) == (0, 0, frozenset())
