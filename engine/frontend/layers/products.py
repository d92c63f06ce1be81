"""Layers that multiply and sum over axes of one's choice: EinsumDense and Dot."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.activation import fused_activation
from engine.frontend.layers.geometry import example_axis
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Binary, Dense, LocalDense, MatMul, Normalize, Reshape, Transpose

_EQUATION = re.compile(r"\s*(\.\.\.)?([A-Za-z]+)(\.\.\.)?\s*,\s*([A-Za-z]+)\s*->\s*(\.\.\.)?([A-Za-z]+)(\.\.\.)?\s*")
_SPARE = "0123456789"


@dataclass(frozen=True)
class _Einsum:
    """Letters of an equation, without ellipses and without the batch, and their sizes."""

    given: str
    kernel: str
    result: str
    sizes: Mapping[str, int]

    def shape(self, letters: str) -> tuple[int, ...]:
        """The sizes of these letters."""
        return tuple(self.sizes[letter] for letter in letters)


@layer("EinsumDense")
def einsum_dense(call: Call) -> int:
    """A product of the input with a kernel, summed over axes that an equation names."""
    return fused_activation(call, einsum(call, call.x))


def einsum(call: Call, x: int) -> int:
    """The product with the layer's kernel and its bias, without the activation."""
    e = _parse(call, x)
    kernel = call.weight("kernel", e.shape(e.kernel))
    shared = "".join(c for c in e.kernel if c in e.given and c in e.result)
    summed = "".join(c for c in e.kernel if c in e.given and c not in shared)
    kept = "".join(c for c in e.given if c not in e.kernel)
    new = "".join(c for c in e.result if c not in e.given)
    if sorted(kept + shared + new) != sorted(e.result) or sorted(shared + summed + new) != sorted(e.kernel):
        raise call.refuse(f"the equation {call.config.raw('equation')!r} is not a matrix product")
    order = [e.kernel.index(c) for c in shared + summed + new]
    places, rows, columns = (prod(e.shape(letters)) for letters in (shared, summed, new))
    shape = (places, rows, columns) if shared else (rows, columns)
    matrix = call.derive("matrix", shape, lambda: kernel.read().transpose(order).reshape(shape))
    bias, letters = _bias(call, e)
    inside = bias is not None and set(letters) <= set(new) and not shared
    moved = _reordered(call, x, e.given, kept + shared + summed)
    if shared:
        y = call.emit(LocalDense(), call.emit(Reshape((*e.shape(kept), places, rows)), moved), matrix)
    else:
        y = call.emit(Reshape((*e.shape(kept), rows)), moved)
        y = call.emit(Dense(), y, matrix, *([_spread(call, e, bias, letters, new)] if bias and inside else []))
    found = kept + shared + new
    y = _reordered(call, call.emit(Reshape(e.shape(found)), y), found, e.result)
    return y if bias is None or inside else call.emit(Binary("add"), y, bias)


def _parse(call: Call, x: int) -> _Einsum:
    equation, shape = call.config.raw("equation"), call.shape(x)
    match = _EQUATION.fullmatch(equation) if isinstance(equation, str) else None
    if match is None:
        raise call.config.wrong("equation", "such as 'ab,bc->ac' or '...x,xy->...y'")
    left, given, right, kernel, left_result, result, right_result = match.groups()
    if (left, right) != (left_result, right_result) or (left and right):
        raise call.config.wrong("equation", "with one ellipsis at the same side of input and result")
    count = len(shape) + 1 - len(given)
    if count < 0 or (count > 0 and not (left or right)):
        raise GraphError(f"the equation {equation!r} does not fit {len(shape) + 1} axes")
    more = _SPARE[:count] if left or right else ""
    named = result if left and more else result[1:]
    given, result = (more + given, more + result) if left else (given + more, result + more)
    if given[0] != result[0] or given[0] in kernel:
        raise call.refuse(f"the equation {equation!r} does not keep the batch apart")
    sizes = dict(zip(given[1:], shape, strict=True))
    wanted = call.config.raw("output_shape")
    wanted = list(wanted) if isinstance(wanted, list | tuple) else [wanted]
    for letter, size in zip(reversed(named), reversed(wanted), strict=False):
        if letter not in sizes:
            sizes[letter] = call.config.integer("output_shape") if not isinstance(size, int) else size
    for letter in kernel + result[1:]:
        if sizes.get(letter, 0) < 1:
            raise call.config.wrong("output_shape", f"a size for axis {letter!r} of {equation!r}")
    return _Einsum(given[1:], kernel, result[1:], sizes)


def _bias(call: Call, e: _Einsum) -> tuple[Weight | None, str]:
    """The bias, with an axis for each letter of the result from the first that it has, and its letters."""
    axes = call.config.raw("bias_axes", None)
    if not axes:
        return None, ""
    if not isinstance(axes, str) or not set(axes) <= set(e.result):
        raise call.config.wrong("bias_axes", f"letters of the result {e.result!r}")
    tail = e.result[min(e.result.index(c) for c in axes) :]
    return call.weight("bias", [e.sizes[c] if c in axes else 1 for c in tail]), "".join(c for c in tail if c in axes)


def _spread(call: Call, e: _Einsum, bias: Weight, letters: str, new: str) -> Weight:
    """The bias as one number for each column of the matrix."""

    def read() -> Any:
        wide = bias.read().reshape(e.shape(letters))
        wide = np.expand_dims(wide, tuple(i for i, c in enumerate(new) if c not in letters))
        return np.broadcast_to(wide, e.shape(new)).reshape(-1)

    return call.derive("columns", (prod(e.shape(new)),), read)


def _reordered(call: Call, x: int, letters: str, wanted: str) -> int:
    return x if letters == wanted else call.emit(Transpose(tuple(letters.index(c) for c in wanted)), x)


@layer("Dot")
def dot(call: Call) -> int:
    """The product of two values, summed over one axis of each; normalized, the cosine of the angle."""
    if len(call.inputs) != 2:
        raise GraphError(f"expected two inputs, found {len(call.inputs)}")
    axes, ranks = call.config.sizes("axes", 2, low=-8), [call.rank(x) for x in call.inputs]
    chosen = [example_axis(axis, rank) for axis, rank in zip(axes, ranks, strict=True)]
    a, b = (_rows(call, x, axis) for x, axis in zip(call.inputs, chosen, strict=True))
    rest = [_without(call.shape(x), axis) for x, axis in zip(call.inputs, chosen, strict=True)]
    if call.config.flag("normalize", False):
        a, b = _unit(call, a), _unit(call, b)
    return call.emit(Reshape((*rest[0], *rest[1]) or (1,)), call.emit(MatMul(transposed=True), a, b))


def _without(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


def _rows(call: Call, x: int, axis: int) -> int:
    """A matrix whose rows lie along the axis."""
    shape, rank = call.shape(x), call.rank(x)
    if axis != rank - 1:
        x = call.emit(Transpose((*_without(range(rank), axis), axis)), x)
    return call.emit(Reshape((prod(_without(shape, axis)), shape[axis])), x)


def _unit(call: Call, x: int) -> int:
    """Rows of length one."""
    size = call.shape(x)[-1]
    scale, shift = call.constant("scale", [size**-0.5], (size,)), call.constant("shift", [0.0], (size,))
    return call.emit(Normalize(1e-12 / size, centered=False), x, scale, shift)
