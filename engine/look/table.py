"""`infer summary`: the layers of a file with their windows, receptive fields and costs. No weight is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, prod
from typing import Any

from engine.frontend import LayerInfo, Network, Source, open_model
from engine.frontend.open_sizes import is_open
from engine.ir.graph import Graph, Node
from engine.ir.ops import Conv, ConvTranspose, DepthwiseConv, NormPool, Pad, Pads, Pool
from engine.ir.work import node_multiply_adds
from engine.look.fields import Field
from engine.look.reach import receptive_fields
from engine.summary import format_bytes, format_layers, format_totals, shortened

HEADS = ("Kernel", "Stride", "Padding", "Receptive field", "Multiply-adds", "Output memory")
Extents = tuple[int, ...] | None


@dataclass(frozen=True)
class LayerFacts:
    """One layer. Shapes start with `None` for the batch; the rest is of one example.

    `receptive_field` is along height and width, or along time; 0 stands for the whole input, and it is None where
    the layer reads no part of the first input. `output_bytes` is of float32. `layers` are those of a model among the
    layers; its own numbers count theirs.
    """

    name: str
    class_name: str
    output_shape: tuple[int | None, ...]
    parameters: int
    trainable_parameters: int
    inbound: tuple[str, ...]
    kernel: Extents
    strides: Extents
    dilation: Extents
    padding: str
    receptive_field: Extents
    multiply_adds: int
    output_bytes: int
    layers: tuple["LayerFacts", ...] = ()


@dataclass(frozen=True)
class Summary:
    """The layers of a model, and the inputs that sizes and costs are of."""

    name: str
    inputs: Mapping[str, tuple[int, ...]]
    open_sizes: bool
    layers: tuple[LayerFacts, ...]

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable_parameters(self) -> int:
        """Number of weights that training would change."""
        return sum(layer.trainable_parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one example."""
        return sum(layer.multiply_adds for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "name": self.name,
            "inputs": {name: list(shape) for name, shape in self.inputs.items()},
            "open_sizes": self.open_sizes,
            "parameters": self.parameters,
            "trainable_parameters": self.trainable_parameters,
            "non_trainable_parameters": self.parameters - self.trainable_parameters,
            "multiply_adds": self.multiply_adds,
            "layers": [asdict(layer) for layer in self.layers],
        }

    def lines(self, expand: bool = False, keras: bool = False) -> Iterator[str]:
        """Keras's table, with further columns unless `keras`, and the totals; `expand` lists models' layers too."""
        rows = list(_expanded(self.layers)) if expand else self.layers
        yield f'Model: "{shortened(self.name)}"'
        yield from format_layers(rows) if keras else format_layers(rows, HEADS, [_cells(layer) for layer in rows])
        yield from format_totals(self.layers)
        if keras:
            return
        yield f"Multiply-adds: {self.multiply_adds:,} for one example"
        if self.open_sizes:
            shapes = ", ".join(f"{name} {shape}" for name, shape in self.inputs.items())
            yield f"The file leaves sizes open: fields, multiply-adds and memory are for {shapes}"


def _expanded(layers: Sequence[LayerFacts], depth: int = 0) -> Iterator[LayerFacts]:
    """The layers, and below each model its own, further to the right."""
    for layer in layers:
        yield replace(layer, name="  " * depth + layer.name)
        yield from _expanded(layer.layers, depth + 1)


def summarise(path: Source, arch: Source | None = None, sandbox: bool = False) -> Summary:
    """The layers of a model file. Raises what `engine.load_model` raises."""
    with open_model(path, arch, sandbox=sandbox) as network:
        return describe(network)


def describe(network: Network) -> Summary:
    """The layers of an open model."""
    graph = network.graph
    return Summary(
        name=network.name,
        inputs=dict(zip(network.input_names, (graph.shapes[v] for v in graph.inputs), strict=True)),
        open_sizes=is_open(network.input_shapes),
        layers=_all_facts(network.layers, graph, _nodes_by_path(network), *_fields(graph, network.layers)),
    )


def _all_facts(
    layers: Sequence[LayerInfo],
    graph: Graph,
    nodes: Mapping[str, Sequence[Node]],
    fields: Mapping[int, Field],
    spatial: slice,
) -> tuple[LayerFacts, ...]:
    return tuple(
        replace(
            _facts(layer, nodes.get(layer.path, ()), graph, _extents(fields.get(layer.value), spatial)),
            layers=_all_facts(layer.layers, graph, nodes, fields, spatial),
        )
        for layer in layers
    )


def _nodes_by_path(network: Network) -> dict[str, list[Node]]:
    """The nodes of each layer, which for a model are those of its layers."""
    known = {layer.path for layer in deep(network.layers)}
    found: dict[str, list[Node]] = {}
    for node in network.graph.nodes:
        path = node.layer
        while path:
            if path in known:
                found.setdefault(path, []).append(node)
            path = path.rpartition("/")[0]
    return found


def deep(layers: Sequence[LayerInfo]) -> Iterator[LayerInfo]:
    """The layers, and those of the models among them."""
    for layer in layers:
        yield layer
        yield from deep(layer.layers)


def _fields(graph: Graph, layers: Sequence[LayerInfo]) -> tuple[dict[int, Field], slice]:
    """The fields on the first input, and which of its axes are no channels."""
    rank = len(graph.shapes[graph.inputs[0]])
    first = any(layer.config.get("data_format") == "channels_first" for layer in layers)
    return receptive_fields(graph), slice(1, rank) if first else slice(0, rank - 1)


def _extents(field: Field | None, spatial: slice) -> Extents:
    return None if field is None else tuple(0 if s == inf else int(s) for s in field.sizes[spatial]) or None


def _facts(layer: LayerInfo, nodes: Sequence[Node], graph: Graph, field: Extents) -> LayerFacts:
    config: Any = layer.config
    inner = config.get("layer")
    if isinstance(inner, dict) and isinstance(inner.get("config"), dict):
        config = inner["config"]
    kernel = _sizes(config.get("kernel_size", config.get("pool_size")))
    strides = _sizes(config.get("strides")) or (kernel if "pool_size" in config else None)
    dilation = _sizes(config.get("dilation_rate"))
    return LayerFacts(
        name=layer.name,
        class_name=layer.class_name,
        output_shape=(None, *layer.output_shape),
        parameters=layer.parameters,
        trainable_parameters=layer.trainable_parameters,
        inbound=layer.inbound,
        kernel=kernel,
        strides=strides if kernel else None,
        dilation=dilation if dilation and max(dilation) > 1 else None,
        padding="" if layer.layers else _padding(config.get("padding"), nodes),
        receptive_field=field,
        multiply_adds=sum(node_multiply_adds(node, graph) for node in nodes),
        output_bytes=4 * prod(graph.shapes.get(layer.value, ())) if layer.value >= 0 else 0,
    )


def _sizes(value: Any) -> Extents:
    sizes = (value,) if isinstance(value, int) else tuple(value) if isinstance(value, list | tuple) else ()
    return sizes if sizes and all(isinstance(size, int) for size in sizes) else None


def _padding(word: Any, nodes: Sequence[Node]) -> str:
    """Keras's word, and for windows that are padded the cells before and after each axis."""
    pads = next(
        (node.op.pads for node in nodes if isinstance(node.op, Conv | DepthwiseConv | Pool | NormPool | Pad)), None
    )
    known = word if isinstance(word, str) else ""
    if pads is None or any(isinstance(node.op, ConvTranspose) for node in nodes) or not any(map(any, pads)):
        return known
    return f"{known} {_cells_around(pads)}".strip()


def _cells_around(pads: Pads) -> str:
    (top, bottom), (left, right) = pads
    vertical, horizontal = f"{top}+{bottom}", f"{left}+{right}"
    return vertical if vertical == horizontal else f"{vertical}, {horizontal}"


def _cells(layer: LayerFacts) -> tuple[str, ...]:
    kernel = times(layer.kernel) + (f" dilated {times(layer.dilation)}" if layer.dilation else "")
    field = layer.receptive_field
    return (
        kernel,
        times(layer.strides),
        layer.padding,
        "" if field is None else "all" if not any(field) else times(field),
        f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
        format_bytes(layer.output_bytes) if layer.output_bytes else "",
    )


def times(sizes: Extents) -> str:
    """`3×3`; a size of 0 is "all"."""
    return "×".join(str(size or "all") for size in sizes or ())
