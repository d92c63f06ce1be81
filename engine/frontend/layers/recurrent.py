"""Recurrent layers: their cells, layers of one cell, and layers of any cell or stack of cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from engine.errors import GraphError, ModelFileError
from engine.frontend.call import Call, Emitter
from engine.frontend.config import Config
from engine.frontend.layers.activation import apply_activation
from engine.frontend.registry import check_unread, layer
from engine.frontend.weights import LayerState
from engine.ir.graph import Operand, Weight
from engine.ir.ops import LINEAR, Activate, Activation, Op, Recurrent, RecurrentKind, Reshape, Shape, Slice

IGNORED = (
    "unroll", "stateful", "implementation", "dropout", "recurrent_dropout", "use_cudnn", "unit_forget_bias",
    "input_dim", "input_length",
)  # fmt: skip
"""Keys that change no result: how to compute, what training does, and states kept from call to call.

A stateful layer begins each call with fresh states, as after `reset_states`.
"""


@dataclass(frozen=True)
class Cell:
    """One recurrence: the operation without its options, and its constants."""

    kind: RecurrentKind
    units: int
    activation: Activation
    gate: Activation
    weights: tuple[Weight, ...]

    @property
    def state_count(self) -> int:
        """How many states it keeps."""
        return Recurrent(self.kind).state_count


@dataclass(frozen=True)
class Run:
    """How a layer goes through its sequence. `flipped`: results stand against the order of computation."""

    sequences: bool
    states: bool
    backwards: bool
    zeros: bool
    flipped: bool = False


def run_of(config: Config) -> Run:
    """The options that all recurrent layers share."""
    if config.flag("time_major", False):
        raise config.refuse("sequences with the steps before the batch (time_major) are not supported")
    return Run(
        sequences=config.flag("return_sequences", False),
        states=config.flag("return_state", False),
        backwards=config.flag("go_backwards", False),
        zeros=config.flag("zero_output_for_mask", False),
    )


class _Recorder:
    """As much of an emitter as activations need: it remembers which operations they are made of."""

    def __init__(self) -> None:
        self.shapes: dict[int, Shape] = {0: (1,)}
        self.masks: dict[int, int] = {}
        self.ops: list[Op] = []

    def emit(self, op: Op, operands: Sequence[Operand], layer: str) -> int:
        self.ops.append(op)
        return 0


def function_of(call: Call, config: Config, key: str, default: str) -> Activation:
    """An activation that is one elementwise function."""
    recorder, chosen = _Recorder(), config.raw(key, default)
    apply_activation(Call(call.layer, config, (0,), call.dialect, cast(Emitter, recorder)), chosen, 0)
    if not recorder.ops:
        return LINEAR
    if len(recorder.ops) == 1 and isinstance(recorder.ops[0], Activate):
        return recorder.ops[0].activation
    raise config.refuse(f"{key} {repr(chosen)[:60]} is not supported inside a recurrent layer")


def _simple(call: Call, config: Config, state: LayerState, features: int) -> Cell:
    units = config.integer("units")
    kernels = _kernels(state, features, units, 1)
    activation = function_of(call, config, "activation", "tanh")
    return Cell("simple", units, activation, LINEAR, (*kernels, _bias(config, state, units)))


def _lstm(call: Call, config: Config, state: LayerState, features: int) -> Cell:
    units = config.integer("units")
    kernels = _kernels(state, features, units, 4)
    return Cell("lstm", units, *_gate_functions(call, config), (*kernels, _bias(config, state, 4 * units)))


def _gru(call: Call, config: Config, state: LayerState, features: int) -> Cell:
    units, after = config.integer("units"), config.flag("reset_after", False)
    kernels = _kernels(state, features, units, 3)
    functions = _gate_functions(call, config)
    if not after:
        return Cell("gru", units, *functions, (*kernels, _bias(config, state, 3 * units)))
    if not config.flag("use_bias", True):
        zeros = state.derive("candidate_bias", (units,), lambda: np.zeros(units))
        return Cell("gru_after", units, *functions, (*kernels, _bias(config, state, 3 * units), zeros))
    biases = state.weight("bias", (2, 3 * units), True, False)
    return _gru_after(state, units, functions, kernels, biases.read)


def _bias(config: Config, state: LayerState, size: int) -> Weight:
    """The bias, zeros where the layer has none."""
    if config.flag("use_bias", True):
        return state.weight("bias", (size,), True, False)
    return state.derive("zero_bias", (size,), lambda: np.zeros(size))


def _gru_after(
    state: LayerState,
    units: int,
    functions: tuple[Activation, Activation],
    kernels: tuple[Weight, Weight],
    biases: Callable[[], Any],
) -> Cell:
    """`biases()` is (2, 3·units): of the input and of the state. Only the candidate's must stay apart."""

    def joined() -> Any:
        of_input, of_state = biases().astype(np.float64)
        return of_input + np.where(np.arange(3 * units) < 2 * units, of_state, 0.0)

    bias = state.derive("joined_bias", (3 * units,), joined)
    candidate = state.derive("candidate_bias", (units,), lambda: biases()[1, 2 * units :])
    return Cell("gru_after", units, *functions, (*kernels, bias, candidate))


def _cudnn_lstm(call: Call, config: Config, state: LayerState, features: int) -> Cell:
    units = config.integer("units")
    kernels = _cudnn_kernels(state, features, units, 4)
    biases = state.weight("bias", (8 * units,), True, False)
    bias = state.derive("joined_bias", (4 * units,), lambda: biases.read().astype(np.float64).reshape(2, -1).sum(0))
    return Cell("lstm", units, Activation("tanh"), Activation("sigmoid"), (*kernels, bias))


def _cudnn_gru(call: Call, config: Config, state: LayerState, features: int) -> Cell:
    units = config.integer("units")
    kernels = _cudnn_kernels(state, features, units, 3)
    biases = state.weight("bias", (6 * units,), True, False)
    functions = Activation("tanh"), Activation("sigmoid")
    return _gru_after(state, units, functions, kernels, lambda: biases.read().reshape(2, -1))


def _gate_functions(call: Call, config: Config) -> tuple[Activation, Activation]:
    usual = "hard_sigmoid" if call.dialect.major < 3 else "sigmoid"
    return function_of(call, config, "activation", "tanh"), function_of(call, config, "recurrent_activation", usual)


def _kernels(state: LayerState, features: int, units: int, gates: int) -> tuple[Weight, Weight]:
    kernel = state.weight("kernel", (features, gates * units), True, False)
    return kernel, state.weight("recurrent_kernel", (units, gates * units), True, False)


def _cudnn_kernels(state: LayerState, features: int, units: int, gates: int) -> tuple[Weight, Weight]:
    """Kernels as cuDNN has them: each gate's matrix lies transposed."""
    kernel, recurrent = _kernels(state, features, units, gates)

    def transposed(weight: Weight) -> Callable[[], Any]:
        return lambda: np.hstack([g.T.reshape(g.shape, order="F") for g in np.hsplit(weight.read(), gates)])

    def turned(weight: Weight) -> Callable[[], Any]:
        return lambda: np.hstack([g.T for g in np.hsplit(weight.read(), gates)])

    return (
        state.derive("plain_kernel", kernel.shape, transposed(kernel)),
        state.derive("plain_recurrent_kernel", recurrent.shape, turned(recurrent)),
    )


_CELLS: dict[str, Callable[[Call, Config, LayerState, int], Cell]] = {
    "SimpleRNN": _simple,
    "LSTM": _lstm,
    "GRU": _gru,
    "CuDNNLSTM": _cudnn_lstm,
    "CuDNNGRU": _cudnn_gru,
}


@layer(*_CELLS, ignored=IGNORED)
def recurrent(call: Call) -> int | tuple[int, ...]:
    """A recurrent layer of one cell: its last result or all, and its states where they are asked for."""
    return run_recurrent(call, run_of(call.config))


@layer("RNN", ignored=IGNORED)
def rnn(call: Call) -> int | tuple[int, ...]:
    """A recurrent layer of any cell, or of cells one upon another."""
    return run_recurrent(call, run_of(call.config))


def run_recurrent(call: Call, run: Run) -> tuple[int, ...]:
    """The result of a recurrent layer and, where they are asked for, its states. Sets the mask of the result.

    Keras 3 hands a layer that is given initial states no mask, though the result carries it.
    """
    x, *given = call.inputs or (call.x,)
    given += call.tensors("initial_state")
    if call.rank(x) != 2:
        raise GraphError(f"expected a sequence of vectors, found shape {call.shape(x)}")
    carried = call.mask(x)
    mask = None if given and call.dialect.major > 2 else carried
    states: list[int] = []
    cells = _cells(call, call.shape(x)[-1])
    counts = [cell.state_count for cell in cells]
    if given and len(given) != sum(counts):
        raise ModelFileError(f"{call.config.where}: expected {sum(counts)} initial states, found {len(given)}")
    for i, cell in enumerate(cells):
        last = i == len(cells) - 1
        initial, given = given[: counts[i]], given[counts[i] :]
        here = run if last else Run(True, run.states, run.backwards, False, flipped=run.backwards)
        x, *more = _emit(call, cell, here, x, mask, initial)
        states += more
    call.set_mask(x, carried if run.sequences else None)
    return (x, *states)


def _cells(call: Call, features: int) -> list[Cell]:
    if call.layer.spec.class_name in _CELLS:
        state = call.child("cell", {"class_name": f"{call.layer.spec.class_name}Cell", "config": {}})
        return [_CELLS[call.layer.spec.class_name](call, call.config, state, features)]
    cells, todo = [], [call.child("cell", _description(call.config, call.config.raw("cell")))]
    while todo:
        state = todo.pop(0)
        config, class_name = Config(state.spec.config, state.where), state.spec.class_name
        if class_name == "StackedRNNCells":
            inside = Call(state, config, (), call.dialect, call.emitter)
            data = enumerate(config.raw("cells"))
            todo = [inside.child(f"cells/{i}", _description(config, d)) for i, d in data] + todo
        elif class_name.removesuffix("Cell") in _CELLS and class_name.endswith("Cell"):
            cells.append(_CELLS[class_name.removesuffix("Cell")](call, config, state, features))
            features = cells[-1].units
        else:
            raise config.refuse("cells of this class are not supported")
        check_unread(config, IGNORED)
    return cells


def _description(config: Config, data: Any) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise config.wrong("cell", "the description of a cell")
    return data


def _emit(call: Call, cell: Cell, run: Run, x: int, mask: int | None, initial: Sequence[int]) -> list[int]:
    """One recurrence over a sequence: its result and, if asked for, its states."""
    op = Recurrent(
        cell.kind, cell.activation, cell.gate, masked=mask is not None, initial=bool(initial),
        sequences=run.sequences, states=run.states, backwards=run.backwards, flipped=run.flipped,
        zeros=run.zeros,
    )  # fmt: skip
    y = call.emit(op, x, *([] if mask is None else [mask]), *initial, *cell.weights)
    if not run.states:
        return [y]
    rows = call.shape(y)[0] - cell.state_count
    result = call.emit(Slice((0, 0), (rows, cell.units), (1, 1)), y)
    result = result if run.sequences else call.emit(Reshape((cell.units,)), result)
    places = range(rows, rows + cell.state_count)
    states = [call.emit(Slice((place, 0), (1, cell.units), (1, 1)), y) for place in places]
    return [result, *(call.emit(Reshape((cell.units,)), state) for state in states)]


RUNNERS: dict[str, Callable[[Call, Run], tuple[int, ...]]] = dict.fromkeys((*_CELLS, "RNN"), run_recurrent)
"""What computes each class of recurrent layers."""
