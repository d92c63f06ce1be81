"""ConvLSTM layers: an LSTM whose products are convolutions, written out step by step in existing operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import GraphError, ModelFileError
from engine.frontend.call import Call, Emitter
from engine.frontend.config import Config, table
from engine.frontend.layers.geometry import data_format, dimensions
from engine.frontend.layers.recurrent import IGNORED, RUNNERS, Run, function_of, run_of
from engine.frontend.registry import layer, run_layer
from engine.frontend.spec import LayerSpec
from engine.frontend.weights import LayerState
from engine.ir.ops import Activate, Activation, Binary, Concat, Reshape, Select, Slice, Transpose

_NAMES = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")


@layer(*_NAMES, ignored=IGNORED)
def conv_lstm(call: Call) -> tuple[int, ...]:
    """A recurrent layer over images: its last result or all, and its states where they are asked for."""
    return run_conv_lstm(call, run_of(call.config))


@dataclass(frozen=True)
class _Cell:
    """The weights of a layer over `rank` axes of space, its options, and how it calls its two convolutions."""

    call: Call
    state: LayerState
    rank: int
    filters: int
    activation: Activation
    gate: Activation

    def convolve(self, x: int, weights: Mapping[str, str], options: Mapping[str, Any], emitter: Emitter) -> int:
        """A convolution to all gates; `weights` are its weights' names among the cell's."""
        state = LayerState(LayerSpec("cell", f"Conv{self.rank}D", {}, True), self.state.path)
        state.parameters = {name: self.state.parameters[ours] for name, ours in weights.items()}
        config = {**options, "filters": 4 * self.filters, "use_bias": "bias" in weights}
        config["kernel_size"] = self.call.config.raw("kernel_size")
        where = self.call.config.where
        return run_layer(state.spec.class_name, Call(state, Config(config, where), (x,), self.call.dialect, emitter))[0]

    def apply(self, function: Activation, x: int) -> int:
        """An activation as an operation of its own."""
        return x if function.kind == "linear" else self.call.emit(Activate(function), x)


def run_conv_lstm(call: Call, run: Run) -> tuple[int, ...]:
    """As `run_recurrent`, for sequences of images."""
    given = [*call.inputs[1:], *call.tensors("initial_state")]
    x, mask, cell = call.inputs[0], call.mask(call.inputs[0]), _cell(call)
    if len(given) not in (0, 2):
        raise ModelFileError(f"{call.config.where}: expected 2 initial states, found {len(given)}")
    first = data_format(call) == "channels_first"
    heed = None if given and call.dialect.major > 2 else mask
    if heed is not None and given:
        raise call.refuse("initial states together with a mask are not supported")
    if first:
        x, *given = _channels_last(call, x, 1), *(_channels_last(call, s, 0) for s in given)
    results, states = _steps(cell, run, x, heed, given)
    y = _joined(call, results) if run.sequences else results[-1]
    outputs = [y, *(states if run.states else [])]
    if first:
        outputs = [_channels_first(call, v, int(run.sequences and i == 0)) for i, v in enumerate(outputs)]
    call.set_mask(outputs[0], mask if run.sequences else None)
    return tuple(outputs)


def _cell(call: Call) -> _Cell:
    config, rank, filters = call.config, dimensions(call), call.config.integer("filters")
    shape = call.shape(call.inputs[0])
    if len(shape) != rank + 2:
        raise GraphError(f"expected a sequence of values of {rank + 1} axes, found shape {shape}")
    features = shape[1] if data_format(call) == "channels_first" else shape[-1]
    state = call.child("cell", {"class_name": "ConvLSTMCell", "config": {}})
    kernel = config.sizes("kernel_size", rank)
    state.weight("kernel", (*kernel, features, 4 * filters), True, False)
    state.weight("recurrent_kernel", (*kernel, filters, 4 * filters), True, False)
    if config.flag("use_bias", True):
        state.weight("bias", (4 * filters,), True, False)
    usual = "hard_sigmoid" if call.dialect.major < 3 else "sigmoid"
    gate = function_of(call, config, "recurrent_activation", usual)
    return _Cell(call, state, rank, filters, function_of(call, config, "activation", "tanh"), gate)


def _steps(cell: _Cell, run: Run, x: int, mask: int | None, given: Sequence[int]) -> tuple[list[int], list[int]]:
    """The results of all steps in their order, and the last states."""
    call, config = cell.call, cell.call.config
    count, *shape = call.shape(x)
    emitter = call.emitter.stacked(count)
    emitter.shapes[x] = tuple(shape)
    weights: dict[str, str] = {name: name for name in ("kernel", "bias") if name in cell.state.parameters}
    options = {key: config.raw(key) for key in ("strides", "padding", "dilation_rate") if key in config.values}
    z = cell.convolve(x, weights, options, emitter)
    results, states = [], list(given)
    for step in reversed(table(count)) if run.backwards else table(count):
        fresh = _step(cell, _at(call, z, step), states)
        if mask is None:
            states, result = fresh, fresh[0]
        else:
            counts = call.emit(Reshape((1,) * (cell.rank + 1)), _at(call, mask, step))
            states = [_chosen(call, counts, new, states[i : i + 1]) for i, new in enumerate(fresh)]
            result = call.emit(Binary("mul"), states[0], counts) if run.zeros else states[0]
        results.append(result)
    return results[::-1] if run.flipped else results, states


def _step(cell: _Cell, z: int, states: Sequence[int]) -> list[int]:
    """The states after a step; `states` are none before the first one."""
    call = cell.call
    if states:
        same = {"strides": 1, "padding": "same"}
        recurrent = cell.convolve(states[0], {"kernel": "recurrent_kernel"}, same, call.emitter)
        z = call.emit(Binary("add"), z, recurrent)
    i, f, g, o = (_gate(call, z, place, cell.filters) for place in range(4))
    c = call.emit(Binary("mul"), cell.apply(cell.gate, i), cell.apply(cell.activation, g))
    if states:
        c = call.emit(Binary("add"), call.emit(Binary("mul"), cell.apply(cell.gate, f), states[1]), c)
    return [call.emit(Binary("mul"), cell.apply(cell.gate, o), cell.apply(cell.activation, c)), c]


def _gate(call: Call, z: int, place: int, filters: int) -> int:
    *space, _ = call.shape(z)
    zeros, ones = (0,) * len(space), (1,) * len(space)
    return call.emit(Slice((*zeros, place * filters), (*space, filters), (*ones, 1)), z)


def _chosen(call: Call, counts: int, new: int, old: Sequence[int]) -> int:
    """The new state where the step counts, else the old one, or zero where there is none."""
    return call.emit(Select(), counts, new, old[0] if old else call.scalar(0.0))


def _at(call: Call, x: int, step: int) -> int:
    """One step of a sequence."""
    _, *shape = call.shape(x)
    rest = len(shape)
    return call.emit(Reshape(tuple(shape)), call.emit(Slice((step, *(0,) * rest), (1, *shape), (1,) * (rest + 1)), x))


def _joined(call: Call, results: Sequence[int]) -> int:
    shape = call.shape(results[0])
    return call.emit(Concat(-len(shape) - 1), *(call.emit(Reshape((1, *shape)), y) for y in results))


def _channels_last(call: Call, x: int, axis: int) -> int:
    """The axis moved to the end."""
    return call.emit(Transpose((*(a for a in range(call.rank(x)) if a != axis), axis)), x)


def _channels_first(call: Call, x: int, axis: int) -> int:
    """The last axis moved to this place."""
    order = [*range(call.rank(x) - 1)]
    order.insert(axis, call.rank(x) - 1)
    return call.emit(Transpose(tuple(order)), x)


RUNNERS |= dict.fromkeys(_NAMES, run_conv_lstm)
