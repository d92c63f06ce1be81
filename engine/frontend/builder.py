"""Runs the layer functions over a described model: descriptions in, one flat graph out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias, TypeVar

from engine.errors import GraphError, InputError, LimitExceededError, ModelFileError, UnsupportedLayerError
from engine.frontend.call import Call, Tensor
from engine.frontend.config import MAX_INT, Config
from engine.frontend.dialects import Dialect
from engine.frontend.function_nodes import is_operation
from engine.frontend.masks import hand_on_masks
from engine.frontend.parts import parts_of
from engine.frontend.quantised import is_read, mode_of
from engine.frontend.registry import run_layer
from engine.frontend.spec import INPUT, CallSpec, LayerSpec, ModelSpec, map_refs, refs_in
from engine.frontend.stacking import emit_stacked
from engine.frontend.topology import parse_layer
from engine.frontend.weights import LayerState
from engine.ir.graph import Graph, Node, Operand, Weight
from engine.ir.ops import Op, Shape

MAX_CALLS = 100_000
MAX_NODES = 100_000
WHOLE = frozenset({INPUT, "CategoryEncoding", "Discretization", "IntegerLookup"})
"""Classes that may say they compute in whole numbers; float32 holds those up to 2^24."""
_FIRST_ARGUMENTS = ("inputs", "sequences", "sequence", "images", "data", "x")
"""What layers call their first argument, where a model gives it by name."""
Nested = TypeVar("Nested", tuple[Any, ...], Mapping[str, Any])
FLOATS = ("float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")


Made: TypeAlias = dict[tuple[str, int], tuple[int, ...]]


@dataclass
class Builder:
    """Collects the nodes of a model. `shapes` are those of every value made so far.

    `known` has the content of those that are no numbers of the network, but sizes. `lambdas` are functions by the
    names of the Lambda layers that they stand for, `seen` the names of those layers. `place` are the numbers of the
    calls that are being built, the outermost model's first.
    """

    dialect: Dialect
    nodes: list[Node] = field(default_factory=list)
    shapes: dict[int, Shape] = field(default_factory=dict)
    masks: dict[int, int] = field(default_factory=dict)
    known: dict[int, Any] = field(default_factory=dict)
    calls: int = 0
    lambdas: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    place: list[int] = field(default_factory=list)

    def value(self, shape: Shape) -> int:
        """A new value of that shape."""
        if prod(shape) > MAX_INT:
            raise LimitExceededError(f"a value of shape {shape} is larger than {MAX_INT} elements")
        self.shapes[len(self.shapes)] = shape
        return len(self.shapes) - 1

    def emit(self, op: Op, operands: Sequence[Operand], layer: str) -> int:
        """Append an operation; its value."""
        if len(self.nodes) >= MAX_NODES:
            raise LimitExceededError(f"its layers are more than {MAX_NODES} operations")
        shapes = [o.shape if isinstance(o, Weight) else self.shapes[o] for o in operands]
        output = self.value(op.result(*shapes))
        self.nodes.append(Node(op, tuple(operands), output, layer))
        return output

    def note(self, known: Any) -> int:
        """A value that stands for sizes known now; no node makes it."""
        output = self.value(())
        self.known[output] = known
        return output

    def run_model(self, model: LayerState, inputs: Sequence[int]) -> tuple[int, ...]:
        """Call a model on values; the values of its outputs."""
        spec = _model(model)
        if len(inputs) != len(spec.inputs):
            raise ModelFileError(f"{model.where}: expected {len(spec.inputs)} inputs, found {len(inputs)}")
        made: Made = {(name, 0): (value,) for name, value in zip(spec.inputs, inputs, strict=True)}
        for call in spec.calls:
            self.place.append(call.node)
            made[call.layer, call.node] = self._run_call(model.children[call.layer], call, made)
            self.place.pop()
        for (name, node), values in made.items():
            model.children[name].results[*self.place, node] = values
        return _take(made, spec.outputs)

    def _run_call(self, layer: LayerState, call: CallSpec, made: Made) -> tuple[int, ...]:
        args, kwargs = call.arguments.args, call.arguments.kwargs
        if is_operation(layer.spec, call.arguments):
            from engine.frontend.operations.nodes import run_operation

            self._count_call()
            config = Config(layer.spec.config, layer.where)
            scope = Call(layer, config, (), self.dialect, self)
            return run_operation(scope, _resolved(made, args), _resolved(made, kwargs))
        _check_constants(call, layer.where)
        if not args:
            name = next((name for name in _FIRST_ARGUMENTS if name in kwargs), None)
            args, kwargs = ((kwargs[name],), {k: v for k, v in kwargs.items() if k != name}) if name else (args, kwargs)
        return self.run(layer, _take(made, args), _resolved(made, kwargs))

    def _count_call(self) -> None:
        self.calls += 1
        if self.calls > MAX_CALLS:
            raise LimitExceededError(f"its layers are called more than {MAX_CALLS} times")

    def run(self, layer: LayerState, inputs: Sequence[int], arguments: Mapping[str, Any]) -> tuple[int, ...]:
        """Call a layer, which may be a model, on values; the values of its outputs."""
        self._count_call()
        config = Config(layer.spec.config, layer.where)
        call = Call(layer, config, inputs, self.dialect, self, arguments)
        if layer.spec.model is not None:
            for value in inputs:
                call.set_mask(value, call.mask(value))
            outputs = self.run_model(layer, inputs)
        else:
            _check_dtype(config, layer.spec.class_name)
            outputs = hand_on_masks(call, self._run_layer(call))
        for key, value in call.unread_arguments().items():
            raise call.refuse(f"call argument {key!r} = {repr(value)[:60]} is not supported")
        return outputs

    def _run_layer(self, call: Call) -> tuple[int, ...]:
        spec = call.layer.spec
        if spec.class_name != "Lambda":
            return run_layer(spec.class_name, call)
        self.seen.add(spec.name)
        function = self.lambdas.get(spec.name)
        if function is None:
            return run_layer(spec.class_name, call)
        return (call.host(function if len(call.inputs) == 1 else _of_list(function), None, *call.inputs),)

    def child(self, layer: LayerState, name: str, data: Mapping[str, Any]) -> LayerState:
        """The layer of that name inside another one, made from its description when it is first asked for."""
        if name not in layer.children:
            spec = parse_layer({**data, "name": name}, self.dialect)
            layer.children[name] = state_of(spec, f"{layer.path}/{name}")
        return layer.children[name]

    def stacked(self, count: int) -> "Builder":
        """An emitter of the same nodes for which each value is `count` examples, along a first axis that it hides."""
        return _Stacked(self, count)

    def graph(self, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
        """The nodes that the outputs need, as a graph."""
        needed = set(outputs)
        for node in reversed(self.nodes):
            if node.output in needed:
                needed.update(node.values)
        nodes = tuple(node for node in self.nodes if node.output in needed)
        kept = {*inputs, *(node.output for node in nodes)}
        return Graph(tuple(inputs), tuple(outputs), nodes, {v: s for v, s in self.shapes.items() if v in kept})


class _Stacked(Builder):
    def __init__(self, outer: Builder, count: int) -> None:
        super().__init__(outer.dialect, lambdas=outer.lambdas, seen=outer.seen)
        self._outer, self._count = outer, count

    def note(self, known: Any) -> int:
        output = self._outer.note(known)
        self.known[output], self.shapes[output] = known, ()
        return output

    def emit(self, op: Op, operands: Sequence[Operand], layer: str) -> int:
        shapes = [o.shape if isinstance(o, Weight) else self.shapes[o] for o in operands]
        result = op.result(*shapes)
        output = emit_stacked(self._outer, self._count, op, operands, result, layer)
        self.shapes[output] = result
        return output


def state_of(spec: LayerSpec, path: str = "") -> LayerState:
    """A fresh state for a layer and, if it is a model, for its layers."""
    state = LayerState(spec, path)
    if spec.model is not None:
        prefix = f"{path}/" if path else ""
        state.children = {child.name: state_of(child, prefix + child.name) for child in spec.model.layers}
    return state


def _check_lambdas(builder: Builder) -> None:
    wrong = sorted(set(builder.lambdas) - builder.seen)
    if wrong:
        known = ", ".join(map(repr, sorted(builder.seen))) or "none"
        raise InputError(f"no Lambda layer {wrong[0]!r}; there are {known}")


def _of_list(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays: function(list(arrays))


def _model(layer: LayerState) -> ModelSpec:
    assert layer.spec.model is not None
    return layer.spec.model


def _take(made: Made, arguments: Any) -> tuple[int, ...]:
    values = []
    for ref in refs_in(arguments):
        outputs = made[ref.layer, ref.node]
        if ref.tensor >= len(outputs):
            raise ModelFileError(f"its graph uses output {ref.tensor} of layer {ref.layer!r}, which has {len(outputs)}")
        values.append(outputs[ref.tensor])
    return tuple(values)


def _resolved(made: Made, arguments: Nested) -> Nested:
    resolved: Nested = map_refs(arguments, lambda ref: Tensor(_take(made, ref)[0]))
    return resolved


def _check_constants(call: CallSpec, where: str) -> None:
    todo = list(call.arguments.args)
    while todo:
        value = todo.pop()
        if isinstance(value, list | tuple):
            todo += value
        elif value is not None and next(refs_in(value), None) is None:
            raise UnsupportedLayerError(f"{where}: it is called on the constant {repr(value)[:60]}, not supported")


def _check_dtype(config: Config, class_name: str) -> None:
    dtype = config.raw("dtype", None)
    if isinstance(dtype, dict):
        mode = mode_of(config.values)
        if mode is not None:
            if not is_read(class_name, mode):
                raise config.refuse(f"weights quantised as {mode[:20]!r} are not supported in this class")
            return
        inner = dtype.get("config")
        dtype = inner.get("name") if isinstance(inner, dict) else None
    if dtype is not None and class_name not in WHOLE and dtype not in FLOATS:
        raise config.refuse(f"it computes in {repr(dtype)[:40]}; only floating point is supported")


def build(
    model: LayerState,
    dialect: Dialect,
    lambdas: Mapping[str, Callable[..., Any]],
    shapes: Sequence[Shape],
    parts: Sequence[str] | None = None,
) -> tuple[Graph, dict[int, Shape]]:
    """The whole model as a graph, and the shapes of all values ever made, also of those that no output needs.

    `lambdas` are functions by the names of the Lambda layers that they stand for. `shapes` are those of the inputs.
    `parts` are names of layers whose results become the outputs, in place of the model's own.
    """
    builder = Builder(dialect, lambdas=lambdas)
    inputs = [builder.value(shape) for shape in shapes]
    outputs = builder.run_model(model, inputs)
    _check_lambdas(builder)
    if parts is not None:
        outputs = tuple(value for part in parts_of(model, parts) for value in part.values)
    if not outputs:
        raise GraphError("the model has no outputs")
    if not builder.known.keys().isdisjoint(outputs):
        raise InputError("outputs: sizes alone, which are no numbers of the network, cannot be one")
    return builder.graph(inputs, outputs), builder.shapes
