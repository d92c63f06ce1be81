"""Recurrence against the slow twin, in every kind and with every option, and its bits in any company."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import LINEAR, RECURRENT_KINDS, Activation, Recurrent, RecurrentKind
from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits
from tests.running import one_op, run_graph

AVAILABLE = [isa for isa in ISAS if fits(isa)]
each_isa = pytest.mark.parametrize("isa", AVAILABLE, ids=lambda isa: isa.name)
each_kind = pytest.mark.parametrize("kind", RECURRENT_KINDS)

OPTIONS: list[dict[str, object]] = [
    {},
    {"sequences": True},
    {"states": True},
    {"sequences": True, "states": True, "initial": True},
    {"masked": True},
    {"masked": True, "sequences": True, "initial": True},
    {"masked": True, "sequences": True, "states": True, "zeros": True, "backwards": True},
    {"masked": True, "zeros": True},
    {"backwards": True, "sequences": True, "flipped": True},
    {"activation": Activation("relu"), "gate": Activation("hard_sigmoid", a=0.2, b=0.5)},
    {"activation": LINEAR},
]


def draw(
    op: Recurrent, units: int, n: int = 3, steps: int = 6, features: int = 5
) -> tuple[Graph, list[NDArray[np.float32]]]:
    """A graph of one recurrence and its inputs; the first steps of one image, and all of another, are masked."""
    random = np.random.default_rng(units)
    values = [random.standard_normal((n, steps, features))]
    if op.masked:
        mask = random.integers(0, 2, (n, steps))
        mask[0, :2], mask[-1] = 0, 0
        values.append(mask.astype(np.float64))
    values += [random.standard_normal((n, units)) for _ in range(op.initial * op.state_count)]
    columns = op.gates * units
    weights = [random.standard_normal((features, columns)) / np.sqrt(features)]
    weights += [random.standard_normal((units, columns)) / np.sqrt(units), random.standard_normal(columns)]
    weights += [random.standard_normal(units)] if op.kind == "gru_after" else []
    inputs = [v.astype(np.float32) for v in values]
    return one_op(op, inputs, [w.astype(np.float32) for w in weights]), inputs


@each_isa
@each_kind
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o) or "plain")
def test_close_to_the_twin(kind: RecurrentKind, options: dict[str, object], isa: Isa) -> None:
    for units in (1, 5, 16, 33, 70):
        graph, inputs = draw(Recurrent(kind, **options), units)  # type: ignore[arg-type]
        expected = reference.run(graph, inputs)[graph.outputs[0]]
        (found,) = run_graph(graph, inputs, isa)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5 * max(1.0, float(np.abs(expected).max())))


@each_isa
@each_kind
def test_an_image_has_the_same_bits_in_any_company(kind: RecurrentKind, isa: Isa) -> None:
    for units in (7, 130):
        graph, inputs = draw(Recurrent(kind, sequences=True, masked=True), units, n=19)
        (together,) = run_graph(graph, inputs, isa, threads=2)
        for i in (0, 8, 17, 18):
            (alone,) = run_graph(graph, [x[i : i + 1] for x in inputs], isa)
            np.testing.assert_array_equal(alone[0], together[i])


@each_isa
@each_kind
def test_numbers_of_masked_steps_do_not_matter(kind: RecurrentKind, isa: Isa) -> None:
    graph, inputs = draw(Recurrent(kind, sequences=True, masked=True), 20)
    (before,) = run_graph(graph, inputs, isa)
    inputs[0] = np.where(inputs[1][..., None] == 0, np.float32(np.nan), inputs[0])
    (after,) = run_graph(graph, inputs, isa)
    np.testing.assert_array_equal(after, before)


@each_isa
def test_images_inside_an_example_are_sequences_of_their_own(isa: Isa) -> None:
    op = Recurrent("lstm", masked=True, initial=True, states=True)
    graph, inputs = draw(op, 9, n=12)
    (flat,) = run_graph(graph, inputs, isa)
    stacked = [x.reshape(3, 4, *x.shape[1:]) for x in inputs]
    weights = [w.read() for w in graph.nodes[0].weights]
    (found,) = run_graph(one_op(op, stacked, weights), stacked, isa)
    np.testing.assert_array_equal(found.reshape(flat.shape), flat)
