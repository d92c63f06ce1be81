"""Layers around layers: both directions of a sequence, and one layer for each step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.errors import GraphError
from engine.frontend.call import Call, Tensor
from engine.frontend.config import Config
from engine.frontend.layers.recurrent import IGNORED, RUNNERS, run_of
from engine.frontend.registry import check_unread, layer
from engine.frontend.weights import LayerState
from engine.ir.ops import Binary, Concat, Reduce, ScaleShift


@layer("Bidirectional", ignored=("stateful", "return_sequences", "return_state"))
def bidirectional(call: Call) -> tuple[int, ...]:
    """A recurrent layer forwards and another backwards, their results joined step by step."""
    config, given = call.config, [*call.inputs[1:], *call.tensors("initial_state")]
    x = call.inputs[0]
    mask = call.mask(x)
    data = _description(config, "layer")
    forward = call.child("forward_layer", data)
    other = config.raw("backward_layer", None)
    turned = {**data["config"], "go_backwards": not data["config"].get("go_backwards", False)}
    backward = call.child("backward_layer", other if isinstance(other, dict) else {**data, "config": turned})
    half = len(given) // 2
    y, *states = _direction(call, forward, (x, *given[:half]), mask, flipped=False)
    z, *more = _direction(call, backward, (x, *given[half:]), mask, flipped=True)
    results = _merged(call, y, z)
    for result in results:
        call.set_mask(result, mask if call.rank(result) > 1 else None)
    return (*results, *states, *more)


def _merged(call: Call, y: int, z: int) -> tuple[int, ...]:
    mode = call.config.raw("merge_mode", "concat")
    if mode is None:
        return y, z
    if mode == "concat":
        return (call.emit(Concat(-1), y, z),)
    if mode == "mul":
        return (call.emit(Binary("mul"), y, z),)
    if mode not in ("sum", "ave"):
        raise call.config.wrong("merge_mode", "'concat', 'sum', 'mul', 'ave' or null")
    total, shape = call.emit(Binary("add"), y, z), call.shape(y)[-1:]
    if mode == "sum":
        return (total,)
    half, zero = call.constant("half", [0.5], shape), call.constant("zero", [0.0], shape)
    return (call.emit(ScaleShift(), total, half, zero),)


def _direction(
    call: Call, child: LayerState, inputs: tuple[int, ...], mask: int | None, flipped: bool
) -> tuple[int, ...]:
    """One direction, in whose result masked steps are zero; `flipped` turns the sequence of results round."""
    config = Config(child.spec.config, child.where)
    if child.spec.class_name not in RUNNERS:
        raise config.refuse("layers of this class are not supported in both directions")
    arguments = {} if mask is None else {"mask": Tensor(mask)}
    inner = Call(child, config, inputs, call.dialect, call.emitter, arguments)
    run = run_of(config)
    outputs = RUNNERS[child.spec.class_name](inner, replace(run, flipped=flipped, zeros=run.sequences))
    check_unread(config, IGNORED)
    return outputs


def _description(config: Config, key: str) -> Mapping[str, Any]:
    data = config.raw(key)
    if not isinstance(data, dict) or not isinstance(data.get("config"), dict):
        raise config.wrong(key, "the description of a layer")
    return data


@layer("TimeDistributed")
def time_distributed(call: Call) -> int:
    """One layer, which may be a model, applied to each step of a sequence by itself."""
    x, mask = call.x, call.mask(call.x)
    child = call.child("layer", _description(call.config, "layer"))
    if call.rank(x) < 1:
        raise GraphError("expected a sequence, found one number for each example")
    count, *shape = call.shape(x)
    emitter = call.emitter.stacked(count)
    emitter.shapes[x] = tuple(shape)
    if mask is not None and call.rank(mask) > 1:
        emitter.shapes[mask] = call.shape(mask)[1:]
        emitter.masks[x] = mask
    outputs = emitter.run(child, (x,), {})
    if len(outputs) != 1:
        raise call.refuse("layers with several results are not supported for each step")
    call.set_mask(outputs[0], _steps_mask(call, mask, emitter.masks.get(outputs[0])))
    return outputs[0]


def _steps_mask(call: Call, mask: int | None, inner: int | None) -> int | None:
    """The mask that a result carries: Keras 3 hands on the input's; Keras 2 prefers the layer's own."""
    if call.dialect.major > 2:
        return mask
    if inner is not None:
        return inner
    while mask is not None and call.rank(mask) > 1:
        mask = call.emit(Reduce("max", (-1,)), mask)
    return mask
