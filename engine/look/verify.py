"""The compiled network against its meaning in NumPy float64, layer by layer, and against a stored answer.

Layers are those that run, after all passes: a batch normalization that went into a convolution is part of it. Each is
compared for the inputs that it really had, so rounding in layers before it does not count, and a fault is found where
it is. What passes did, and rounding altogether, is in the lines after, where the outputs of the network as it runs are
compared with those of the network as it was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.frontend import Network
from engine.frontend.open_sizes import fits, shown
from engine.ir import reference
from engine.ir.graph import Graph, Node
from engine.ir.ops import LINEAR, Embed, Identity, Reshape
from engine.passes import optimise
from engine.runtime.session import new_session
from engine.summary import format_table, shortened

Arrays = Sequence[NDArray[Any]]

RELATIVE = 1e-4
"""Numbers agree if they differ by at most this part of the expected one, and a tenth of it of the largest one."""

SEED = 5


@dataclass(frozen=True)
class Compared:
    """How far one array is from what is expected.

    `kind` is layer, output or golden. `largest` is the largest number expected, `difference` the largest difference,
    `relative` that over `largest`, and `excess` the largest difference in units of what is allowed: infinite where
    shapes, NaN or infinities are not in the same places.
    """

    kind: str
    name: str
    operation: str
    shape: tuple[int, ...]
    largest: float
    difference: float
    relative: float
    excess: float

    @property
    def agrees(self) -> bool:
        """Whether it is within the tolerance."""
        return self.excess <= 1


@dataclass(frozen=True)
class Verification:
    """Everything that was compared for `examples` examples, in the order of computation."""

    model: str
    examples: int
    tolerance: float
    compared: tuple[Compared, ...]

    @property
    def agrees(self) -> bool:
        """Whether all of it is within the tolerance."""
        return self.first_wrong is None

    @property
    def first_wrong(self) -> Compared | None:
        """The first that is not."""
        return next((each for each in self.compared if not each.agrees), None)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        wrong = self.first_wrong
        return {
            "model": self.model,
            "examples": self.examples,
            "tolerance": self.tolerance,
            "agrees": self.agrees,
            "first_wrong": None if wrong is None else wrong.name,
            "compared": [{**asdict(each), "agrees": each.agrees} for each in self.compared],
        }

    def lines(self) -> Iterator[str]:
        """A table, and the verdict."""
        heads = ("", "Layer", "Operation", "Output", "Largest", "Difference", "Relative", "Of allowed")
        yield from format_table(heads, [_cells(each) for each in self.compared])
        wrong, examples = self.first_wrong, f"{self.examples} example{'s' if self.examples != 1 else ''}"
        if wrong is None:
            yield f"All {len(self.compared)} agree within {self.tolerance:g}, for {examples}"
        else:
            count = sum(not each.agrees for each in self.compared)
            yield (
                f"{count} of {len(self.compared)} differ by more than {self.tolerance:g}, for {examples}; the first is "
                f"{wrong.kind} {shortened(wrong.name)} ({wrong.operation})"
            )


def verify_network(
    network: Network,
    inputs: Arrays,
    model: str,
    tolerance: float = RELATIVE,
    threads: int | None = None,
    golden: Arrays | None = None,
) -> Verification:
    """Compare an open network's layers and outputs for a batch; `golden` are outputs that are expected of it."""
    ready = checked_inputs(network, inputs)
    graph = optimise(network.graph)
    found = new_session(graph, threads).run(ready, len(ready[0]))
    expected = reference.run(network.graph, ready)
    outputs = zip(network.output_names, network.graph.outputs, found, strict=True)
    compared = [
        *_layers(graph, ready, tolerance, threads),
        *(compare("output", name, "all layers", y, expected[v], tolerance) for name, v, y in outputs),
    ]
    if golden is not None:
        if len(golden) != len(found):
            raise InputError(f"golden file: expected {len(found)} outputs, found {len(golden)}")
        pairs = zip(network.output_names, found, golden, strict=True)
        compared += [compare("golden", name, "stored answer", y, g, tolerance) for name, y, g in pairs]
    return Verification(model, len(ready[0]), tolerance, tuple(compared))


def _layers(graph: Graph, inputs: Arrays, tolerance: float, threads: int | None) -> Iterator[Compared]:
    every = replace(graph, outputs=tuple(node.output for node in graph.nodes))
    found = new_session(every, threads).run(inputs, len(inputs[0])) if graph.nodes else []
    values = dict(zip((*graph.inputs, *every.outputs), (*inputs, *found), strict=True))
    for node in graph.nodes:
        if not isinstance(node.op, Reshape | Identity):
            expected = _meaning(node, graph, values)
            yield compare("layer", node.layer, _operation(node), values[node.output], expected, tolerance)


def _meaning(node: Node, graph: Graph, values: Mapping[int, NDArray[Any]]) -> NDArray[np.float64]:
    """What a node makes of its operands."""
    operands = tuple(dict.fromkeys(node.values))
    alone = replace(graph, inputs=operands, outputs=(node.output,), nodes=(node,))
    return reference.run(alone, [values[v] for v in operands])[node.output]


def _operation(node: Node) -> str:
    activation = getattr(node.op, "activation", LINEAR)
    name = type(node.op).__name__
    return name if activation == LINEAR else f"{name}, {activation.kind}"


def compare(
    kind: str, name: str, operation: str, found: NDArray[Any], expected: NDArray[Any], tolerance: float
) -> Compared:
    """How far an array is from the expected one."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    finite = np.isfinite(expected)
    largest = float(np.abs(expected[finite]).max(initial=0.0))
    same = found.shape == expected.shape and bool(np.array_equal(found[~finite], expected[~finite], equal_nan=True))
    if not same or not np.isfinite(found[finite]).all():
        return Compared(kind, name, operation, expected.shape, largest, np.inf, np.inf, np.inf)
    apart = np.abs(found[finite] - expected[finite])
    allowed = tolerance * np.abs(expected[finite]) + tolerance / 10 * largest
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = float(np.where(apart > 0, apart / allowed, 0.0).max(initial=0.0))
    difference = float(apart.max(initial=0.0))
    relative = difference / largest if largest else excess
    return Compared(kind, name, operation, expected.shape, largest, difference, relative, excess)


def checked_inputs(network: Network, inputs: Arrays) -> list[NDArray[np.float32]]:
    """The inputs as float32, if there are as many as the network has, of its shapes and of one length."""
    if len(inputs) != len(network.input_names):
        names = ", ".join(network.input_names)
        raise InputError(f"expected {len(network.input_names)} inputs ({names}), found {len(inputs)}")
    for x, name, shape in zip(inputs, network.input_names, network.input_shapes, strict=True):
        if x.dtype.kind not in "fiub" or not x.ndim or not fits(shape, x.shape[1:]):
            raise InputError(f"input {name!r}: expected numbers of shape {shown(shape)}, found {x.dtype} {x.shape}")
    if len({len(x) for x in inputs}) != 1 or not len(inputs[0]):
        raise InputError(f"inputs: expected as many examples in each, found {', '.join(str(len(x)) for x in inputs)}")
    return [np.ascontiguousarray(x, np.float32) for x in inputs]


def drawn_inputs(graph: Graph, n: int = 2) -> list[NDArray[np.float32]]:
    """The same numbers each time: between 0 and 1, and numbers of rows where a table is looked up."""
    rng = np.random.default_rng(SEED)
    rows = {node.operands[0]: node.weights[0].shape[0] for node in graph.nodes if isinstance(node.op, Embed)}
    return [
        (rng.integers(0, rows[v], (n, *graph.shapes[v])) if v in rows else rng.random((n, *graph.shapes[v]))).astype(
            np.float32
        )
        for v in graph.inputs
    ]


def save_golden(file: BinaryIO, inputs: Arrays, outputs: Arrays) -> None:
    """Write inputs as x0, x1 … and outputs as y0, y1 … (NumPy's .npz)."""
    named = {f"x{i}": x for i, x in enumerate(inputs)} | {f"y{i}": y for i, y in enumerate(outputs)}
    np.savez_compressed(file, allow_pickle=False, **named)


def series(arrays: Mapping[str, NDArray[Any]], letter: str) -> list[NDArray[Any]]:
    """The arrays x0, x1 … or y0, y1 … of a file, in order."""
    found: list[NDArray[Any]] = []
    while f"{letter}{len(found)}" in arrays:
        found.append(arrays[f"{letter}{len(found)}"])
    return found


def _cells(each: Compared) -> tuple[str, ...]:
    return (
        "" if each.agrees else "✗",
        shortened(each.name),
        each.operation,
        "×".join(map(str, each.shape[1:])),
        f"{each.largest:.3g}",
        f"{each.difference:.1e}" if each.difference else "0",
        f"{each.relative:.1e}" if each.relative else "0",
        f"{each.excess:.0%}" if np.isfinite(each.excess) else "inf",
    )
