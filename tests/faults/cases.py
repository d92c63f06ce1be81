"""One-operation graphs that reach every kernel: the problems tables, and what they leave out."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph
from engine.ir.ops import BINARY_KINDS, RECURRENT_KINDS, Activate, Binary, Recurrent
from engine.kernels.isa import Isa
from engine.plan.choose import legal
from engine.plan.machine import Machine
from engine.plan.site import Site
from tests.kernels import problems, problems_axes, problems_sequence
from tests.kernels.problems import Problem
from tests.kernels.test_activations import EVERY
from tests.kernels.test_recurrent import OPTIONS, draw
from tests.running import one_op

BATCH = 3


class Case(NamedTuple):
    """A graph of one operation, and inputs for `BATCH` examples."""

    name: str
    graph: Graph
    inputs: list[NDArray[np.float32]]

    def algorithms(self, isa: Isa) -> list[str]:
        """The names of the algorithms that may compute it."""
        return [a.name for a in legal(Site(self.graph.nodes[0], self.graph, Machine(isa)))]


def all_problems() -> list[Problem]:
    """Every row of the problems tables, and one of each kind that they leave out."""
    tables = [*problems.REAL, *problems_axes.REAL, *problems_sequence.REAL, *problems_axes.normalizations()]
    tables += [*problems.EXACT, *problems_axes.EXACT, *problems_sequence.EXACT]
    tables += [Problem(Activate(f), ((size,),)) for f in EVERY for size in (1, 37)]
    tables += [Problem(Binary(kind), ((4, 37), (4, 37))) for kind in BINARY_KINDS]
    return list({str(p): p for p in tables}.values())


def of_problem(problem: Problem, seed: int = 0) -> Case:
    """Real numbers for a problem."""
    random = np.random.default_rng(seed)
    values = [random.standard_normal((BATCH, *s)).astype(np.float32) for s in problem.values]
    weights = [random.standard_normal(s).astype(np.float32) for s in problem.weights]
    return Case(str(problem), one_op(problem.op, values, weights), values)


def recurrences() -> Iterator[Case]:
    """Every kind of recurrence with every option."""
    for kind in RECURRENT_KINDS:
        for options in OPTIONS:
            for units in (5, 33):
                graph, inputs = draw(Recurrent(kind, **options), units, n=BATCH)  # type: ignore[arg-type]
                yield Case(f"{kind}-{units}-{'-'.join(options)}", graph, inputs)


def every_case() -> Iterator[Case]:
    """All of them, always in this order."""
    for problem in all_problems():
        yield of_problem(problem)
    yield from recurrences()
