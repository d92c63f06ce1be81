"""Attention: of one head, additive, of many heads, of heads in groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from engine.errors import GraphError
from engine.frontend.call import Call, Tensor
from engine.frontend.registry import layer
from engine.ir.graph import Operand
from engine.ir.ops import (
    Activate,
    Activation,
    Binary,
    Dense,
    Gather,
    MatMul,
    Reshape,
    Select,
    Shape,
    Softmax,
    Transpose,
)

_FAR = -1e9
_IGNORED = ("dropout", "seed", "flash_attention", "query_shape", "key_shape", "value_shape")


@layer("Attention", ignored=_IGNORED)
def attention(call: Call) -> int | tuple[int, ...]:
    """Values weighted by the softmax of the products of queries and keys."""
    query, value, key = _queries(call)
    if call.config.choice("score_mode", ("dot", "concat"), "dot") == "concat":
        return _weighted(call, _sums(call, query, key, scalar=True), value)
    scores = call.emit(MatMul(transposed=True), query, key)
    if call.config.flag("use_scale", False):
        scores = call.emit(Binary("mul"), scores, call.weight("scale", ()))
    return _weighted(call, scores, value)


@layer("AdditiveAttention", ignored=_IGNORED)
def additive_attention(call: Call) -> int | tuple[int, ...]:
    """Values weighted by the softmax of sums over tanh(query + key)."""
    query, value, key = _queries(call)
    return _weighted(call, _sums(call, query, key, scalar=False), value)


def _queries(call: Call) -> tuple[int, int, int]:
    if len(call.inputs) not in (2, 3):
        raise GraphError(f"expected a query, a value and perhaps a key, found {len(call.inputs)} inputs")
    for x in call.inputs:
        if call.rank(x) != 2:
            raise GraphError(f"expected sequences of vectors, found shape {call.shape(x)}")
    query, value = call.inputs[:2]
    return query, value, call.inputs[2] if len(call.inputs) > 2 else value


def _sums(call: Call, query: int, key: int, scalar: bool) -> int:
    """Scores that add query and key. Their weight is one number for all features if `scalar`, else one for each."""
    (rows, size), (columns, _) = call.shape(query), call.shape(key)
    scale = None
    if call.config.flag("use_scale", not scalar):
        scale = call.weight("scale", () if scalar else (size,))
    weight = call.weight("concat_score_weight", ()) if scalar else scale
    wide = call.emit(Reshape((rows, 1, size)), query)
    both = call.emit(Binary("add"), wide, call.emit(Reshape((1, columns, size)), key))
    if scalar and scale is not None:
        both = call.emit(Binary("mul"), both, scale)
    both = call.emit(Activate(Activation("tanh")), both)
    column = call.derive(
        "column", (size, 1), lambda: np.broadcast_to(1.0 if weight is None else weight.read(), (size,)).reshape(size, 1)
    )
    return call.emit(Reshape((rows, columns)), call.emit(Dense(), both, column))


def _weighted(call: Call, scores: int, value: int) -> int | tuple[int, ...]:
    """The result of a layer of one head from its scores."""
    query_mask, value_mask = _given_masks(call)
    masks: list[Operand] = [] if value_mask is None else [_row(call, value_mask)]
    causal = call.config.flag("causal", False)
    if call.argument("use_causal_mask", False) or causal:
        masks.append(_band(call, call.shape(scores), None, causal=True))
    shares = call.emit(Softmax(), _masked(call, scores, masks))
    y = call.emit(MatMul(), shares, value)
    if query_mask is not None:
        y = call.emit(Binary("mul"), y, call.emit(Reshape((*call.shape(query_mask), 1)), query_mask))
    call.set_mask(y, query_mask)
    return (y, shares) if call.argument("return_attention_scores", False) else y


def _given_masks(call: Call) -> tuple[int | None, int | None]:
    """The masks of query and value: those of the call, else those that the inputs carry."""
    given = call.argument("mask")
    if given is None:
        return call.mask(call.inputs[0]), call.mask(call.inputs[1])
    if not isinstance(given, list | tuple) or len(given) < 2:
        raise call.refuse("its masks are not understood")
    query, value = (item.value if isinstance(item, Tensor) else None for item in given[:2])
    return query, value


def _row(call: Call, mask: int) -> int:
    return call.emit(Reshape((1, *call.shape(mask))), mask)


def _band(call: Call, shape: Shape, width: int | None, causal: bool) -> Operand:
    """A constant (rows, columns): which columns each row may see."""
    rows, columns = shape[-2:]

    def read() -> Any:
        distance = np.arange(rows)[:, None] - np.arange(columns)
        seen = distance >= 0 if causal else np.ones((rows, columns), bool)
        return (seen & (np.abs(distance) < (width or max(rows, columns)))).astype(np.float32)

    return call.derive(f"band_{rows}x{columns}_{causal}_{width}", (rows, columns), read)


def _masked(call: Call, scores: int, masks: Sequence[Operand]) -> int:
    """Scores, very low where any of the masks is zero."""
    far = call.constant("far", [_FAR], (1,))
    for mask in masks:
        scores = call.emit(Select(), mask, scores, far)
    return scores


@layer("MultiHeadAttention", ignored=_IGNORED)
def multi_head_attention(call: Call) -> int | tuple[int, ...]:
    """Attention of several heads, each with projections of its own, over any axes; their results projected again."""
    heads, size = call.config.integer("num_heads"), call.config.integer("key_dim")
    value_size = call.config.integer("value_dim") if call.config.raw("value_dim", None) else size
    wanted = call.config.raw("output_shape", None)
    wanted = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,) if wanted else None
    return _many_heads(call, _Heads(heads, heads, size, value_size), wanted)


@layer("GroupedQueryAttention", ignored=_IGNORED)
def grouped_query_attention(call: Call) -> int | tuple[int, ...]:
    """Attention of several query heads, groups of which share one head of keys and values."""
    heads, shared = call.config.integer("num_query_heads"), call.config.integer("num_key_value_heads")
    size = call.config.integer("head_dim")
    if heads % shared:
        raise GraphError(f"{shared} heads of keys do not divide {heads} heads of queries")
    return _many_heads(call, _Heads(heads, shared, size, size), None)


@dataclass(frozen=True)
class _Heads:
    """Number of heads of queries, and of keys and values; their sizes."""

    count: int
    shared: int
    size: int
    value_size: int


def _many_heads(call: Call, heads: _Heads, wanted: tuple[Any, ...] | None) -> int | tuple[int, ...]:
    """The result of a layer of several heads; `wanted` is its shape behind the steps, by default the query's."""
    query, value, key = _projected_inputs(call)
    rank = call.rank(query)
    axes = [axis - 1 if axis > 0 else axis + rank for axis in _attention_axes(call, rank)]
    free = [axis for axis in range(rank - 1) if axis not in axes]
    order = (*free, rank - 1, *axes, rank)
    q = _project(call, "query_dense", query, heads.count, heads.size)
    k = _project(call, "key_dense", key, heads.shared, heads.size)
    gated = call.config.flag("use_gate", False)
    gate = _project(call, "gate_dense", query, heads.count, heads.value_size, "sigmoid") if gated else None
    v = _project(call, "value_dense", value, heads.shared, heads.value_size)
    q, k, v = (call.emit(Transpose(order), _repeated(call, x, heads.count)) for x in (q, k, v))
    outer, split = call.shape(q)[: len(free) + 1], len(free) + 1
    rows, columns = call.shape(q)[split:-1], call.shape(k)[split:-1]
    q, k, v = (call.emit(Reshape((*outer, prod(call.shape(x)[split:-1]), call.shape(x)[-1])), x) for x in (q, k, v))
    query_mask = _mask_of(call, "query", query)
    masks = _head_masks(call, query_mask, value, key, outer, rows, columns)
    scores = _masked(call, call.emit(MatMul(transposed=True, scale=heads.size**-0.5), q, k), masks)
    shares = call.emit(Softmax(), scores)
    y = call.emit(Reshape((*outer, *rows, heads.value_size)), call.emit(MatMul(), shares, v))
    y = call.emit(Transpose(tuple(order.index(axis) for axis in range(rank + 1))), y)
    y = y if gate is None else call.emit(Binary("mul"), y, gate)
    y = _output(call, y, wanted or call.shape(query)[-1:])
    call.set_mask(y, query_mask)
    wants_scores = call.argument("return_attention_scores", False)
    return (y, call.emit(Reshape((*outer, *rows, *columns)), shares)) if wants_scores else y


def _repeated(call: Call, x: int, heads: int) -> int:
    """Each head (the axis before the last) as often as there are heads of queries for it."""
    found = call.shape(x)[-2]
    if found == heads:
        return x
    return call.emit(Gather(-2, tuple(i * found // heads for i in range(heads))), x)


def _projected_inputs(call: Call) -> tuple[int, int, int]:
    """Query, value and key: by place, or by name."""
    found = list(call.inputs)
    for name in ("query", "value", "key"):
        found += call.tensors(name)
    if len(found) not in (2, 3):
        raise GraphError(f"expected a query, a value and perhaps a key, found {len(found)} inputs")
    ranks = {call.rank(x) for x in found}
    if len(ranks) > 1 or min(ranks) < 2:
        raise GraphError(f"expected sequences of vectors, found shapes {[call.shape(x) for x in found]}")
    return found[0], found[1], found[2] if len(found) > 2 else found[1]


def _attention_axes(call: Call, rank: int) -> Sequence[int]:
    """The axes over which attention goes, as Keras counts them; all but the batch and the features by default."""
    axes = call.config.raw("attention_axes", None)
    if not axes:
        return range(1, rank)
    count = len(axes) if isinstance(axes, list | tuple) else 1
    chosen = call.config.sizes("attention_axes", count, low=-rank)
    if 0 in chosen:
        raise call.config.wrong("attention_axes", "axes beside the batch")
    return chosen


def _project(call: Call, name: str, x: int, heads: int, size: int, activation: str = "linear") -> int:
    """A projection (..., heads, size), by an EinsumDense of that name."""
    letters = "abcdefgh"[: call.rank(x)]
    config = {
        "equation": f"{letters}x,xyz->{letters}yz",
        "output_shape": [*[None] * (call.rank(x) - 1), heads, size],
        "bias_axes": "yz" if call.config.flag("use_bias", True) else None,
        "activation": activation,
    }
    return call.run(call.child(name, {"class_name": "EinsumDense", "config": config}), x)[0]


def _output(call: Call, x: int, shape: tuple[Any, ...]) -> int:
    letters, new = "abcdefgh"[: call.rank(x) - 1], "stuvw"[: len(shape)]
    config = {
        "equation": f"{letters}yz,yz{new}->{letters}{new}",
        "output_shape": [*[None] * (call.rank(x) - 2), *shape],
        "bias_axes": new if call.config.flag("use_bias", True) else None,
    }
    return call.run(call.child("output_dense", {"class_name": "EinsumDense", "config": config}), x)[0]


def _mask_of(call: Call, name: str, x: int) -> int | None:
    return next(iter(call.tensors(f"{name}_mask")), call.mask(x))


def _head_masks(
    call: Call, of_query: int | None, value: int, key: int, outer: Shape, rows: Shape, columns: Shape
) -> list[Operand]:
    """All masks of a layer of many heads, each so that it broadcasts with scores (*outer, rows, columns)."""
    masks: list[Operand] = []
    of_value = _mask_of(call, "value", value)
    of_key = None if key == value else _mask_of(call, "key", key)
    if of_query is not None:
        masks.append(call.emit(Reshape((prod(rows), 1)), of_query))
    masks += [call.emit(Reshape((1, prod(columns))), mask) for mask in (of_value, of_key) if mask is not None]
    width = call.config.integer("sliding_window") if call.config.raw("sliding_window", None) else None
    causal = bool(call.argument("use_causal_mask", False))
    if causal or width is not None:
        masks.append(_band(call, (prod(rows), prod(columns)), width, causal))
    for mask in call.tensors("attention_mask"):
        lead = call.shape(mask)[: call.rank(mask) - len(rows) - len(columns)]
        missing = len(outer) - len(lead)
        shape = (*lead, *(1,) * missing, prod(rows), prod(columns))
        masks.append(call.emit(Reshape(shape), mask))
    return masks
