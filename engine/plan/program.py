"""A program: the steps of a graph on a machine, and where in the arena each value lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from engine.ir.graph import Graph
from engine.ir.ops import Identity, Op, Reshape, Shape
from engine.plan.choose import Choice, choose, legal
from engine.plan.machine import Machine
from engine.plan.memory import assign
from engine.plan.site import Algorithm, Site
from engine.plan.step import Step, Value


@dataclass(frozen=True, eq=False)
class Task:
    """What a step is a part of: an operation, the shapes of its operands and of its result, how it is computed.

    `output` is the number of the value that it makes.
    """

    op: Op
    output: int
    values: tuple[Shape, ...]
    weights: tuple[Shape, ...]
    result: Shape
    algorithm: str


@dataclass(frozen=True, eq=False)
class Program:
    """`offsets[v]` is where value v starts, in bytes an image of capacity; `arena` is the total, likewise.

    `homes[v]` is the value whose memory v shares; `tasks` has one for each step.
    """

    machine: Machine
    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shapes: Mapping[int, Shape]
    offsets: Mapping[int, int]
    arena: int
    homes: Mapping[int, int]
    tasks: tuple[Task, ...]

    @property
    def scratch(self) -> int:
        """Bytes of scratch memory that each thread needs."""
        return max((step.scratch for step in self.steps), default=0)

    @property
    def work(self) -> float:
        """Estimated nanoseconds an image on one core."""
        return sum(step.work for step in self.steps)

    @property
    def kernels(self) -> frozenset[str]:
        """The kernels that the steps call."""
        return frozenset(name for step in self.steps for name in step.kernels())


def plan(graph: Graph, machine: Machine, choose: Choice = choose) -> Program:
    """The program of a graph. Reads each weight once and packs it; afterwards the graph is not needed.

    `choose` picks one of the legal algorithms of a node.

    Raises `GraphError` where a node has no algorithm.
    """
    home = _homes(graph)
    steps: list[Step] = []
    tasks: list[Task] = []
    for node in graph.nodes:
        if not isinstance(node.op, Reshape | Identity):
            site = Site(node, graph, machine)
            algorithm = choose(legal(site), site)
            steps += algorithm.emit(site)
            tasks += [_task(site, algorithm)] * (len(steps) - len(tasks))
    offsets, arena = _arena(graph, steps, home)
    shapes = dict(graph.shapes)
    return Program(machine, tuple(steps), graph.inputs, graph.outputs, shapes, offsets, arena, home, tuple(tasks))


def _task(site: Site, algorithm: Algorithm) -> Task:
    node, shapes = site.node, site.graph.shapes
    values, weights = tuple(shapes[v] for v in node.values), tuple(w.shape for w in node.weights)
    return Task(node.op, node.output, values, weights, site.result, algorithm.name)


def _homes(graph: Graph) -> dict[int, int]:
    """The value whose memory each value shares: a reshape is its operand under another shape."""
    home = {v: v for v in graph.shapes}
    for node in graph.nodes:
        if isinstance(node.op, Reshape | Identity):
            home[node.output] = home[node.values[0]]
    return home


def _arena(graph: Graph, steps: list[Step], home: dict[int, int]) -> tuple[dict[int, int], int]:
    first = {home[v]: -1 for v in graph.inputs}
    last = dict.fromkeys(first, 0) | {home[v]: len(steps) for v in graph.outputs}
    for i, step in enumerate(steps):
        for field in step.fields.values():
            if isinstance(field, Value):
                value = home[field.number]
                first.setdefault(value, i)
                last[value] = max(i, last.get(value, i))
    values = sorted(first)
    sizes = [prod(graph.shapes[v]) * 4 for v in values]
    offsets, total = assign(sizes, [first[v] for v in values], [last[v] for v in values])
    place = dict(zip(values, offsets, strict=True))
    return {v: place[home[v]] for v in graph.shapes if home[v] in place}, total
