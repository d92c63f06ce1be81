"""Choices measured elsewhere are followed by what an operation is, and only where they may be."""

from dataclasses import replace

import pytest

from engine.ir.graph import Graph, Weight
from engine.ir.ops import RELU, Conv, Op
from engine.plan.choose import choose, legal, sparing
from engine.plan.machine import this_machine
from engine.plan.site import Site
from engine.plan.tuned import signature, tuned
from tests.graphs import Net


def site(op: Op | None = None, channels: int = 64, size: int = 14, layer: str = "conv") -> Site:
    net = Net()
    net.add(op or Conv(), net.input(size, size, channels), net.weight(3, 3, channels, 32), layer=layer)
    return Site(net.nodes[0], net.graph(1), this_machine())


def names(found: Site) -> list[str]:
    return [algorithm.name for algorithm in legal(found)]


def test_the_signature_is_of_the_operation_and_its_shapes_alone() -> None:
    assert signature(site()) == signature(site(layer="another"))
    others = [site(Conv(activation=RELU)), site(size=15), site(channels=32), site(Conv(strides=(2, 2)))]
    assert len({signature(s) for s in (site(), *others)}) == 5


def test_the_signature_tells_weights_from_values() -> None:
    found = site()
    weight = found.node.operands[1]
    assert isinstance(weight, Weight)
    shapes = {**found.graph.shapes, 7: weight.shape}
    node = replace(found.node, operands=(0, 7))
    other = Site(node, Graph((0, 7), (1,), (node,), shapes), found.machine)
    assert signature(other) != signature(found)


def test_a_measured_choice_is_followed() -> None:
    found = site()
    for algorithm in legal(found):
        assert tuned({signature(found): algorithm.name})(legal(found), found) is algorithm


@pytest.mark.parametrize("name", ["no_such", "dense_gemm", "conv_pointwise"])
def test_a_choice_that_may_not_be_used_is_left(name: str) -> None:
    found = site()
    assert tuned({signature(found): name})(legal(found), found) is choose(legal(found), found)
    assert tuned({"other": names(found)[0]})(legal(found), found) is choose(legal(found), found)


def test_sparing_memory_leaves_out_what_inflates_weights() -> None:
    found = site()
    assert "conv_winograd" in names(found)
    for name in names(found):
        chosen = sparing(tuned({signature(found): name}))(legal(found), found)
        assert not getattr(chosen, "inflates", False)


def test_where_all_inflate_one_is_taken_all_the_same() -> None:
    found = site()
    large = [a for a in legal(found) if getattr(a, "inflates", False)]
    assert sparing(choose)(large, found) in large
