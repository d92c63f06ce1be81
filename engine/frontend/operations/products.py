"""Products that are summed along axes."""

from math import prod
from typing import Any

import numpy as np

from engine.errors import GraphError
from engine.frontend.call import Tensor
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.shapes import permuted
from engine.frontend.operations.table import operation
from engine.ir.ops import Dense, MatMul, Select, Slice, Softmax, Transpose


@operation(
    "Matmul x1 x2", "linalg.matmul a b transpose_a transpose_b adjoint_a adjoint_b",
    "matmul a b transpose_a transpose_b adjoint_a adjoint_b", "raw.MatMul a b transpose_a transpose_b",
    "raw.BatchMatMul a b adj_x adj_y", "raw.BatchMatMulV2 a b adj_x adj_y", "Dot x1 x2",
)  # fmt: skip
def matmul(
    scope: Scope,
    a: Any,
    b: Any,
    transpose_a: Any = False,
    transpose_b: Any = False,
    adjoint_a: Any = False,
    adjoint_b: Any = False,
) -> int:
    """Matrix by matrix for each of the axes in front; or rows by a constant matrix."""
    turned = scope.flag(transpose_b) or scope.flag(adjoint_b)
    left = scope.value(a)
    if scope.flag(transpose_a) or scope.flag(adjoint_a):
        left = permuted(scope, left, _turned(scope.rank(left) + 1))
    if not isinstance(b, Tensor):
        matrix = scope.array(b)
        if matrix.ndim != 2:
            raise scope.refuse(f"a constant of shape {matrix.shape} is no matrix")
        return scope.emit(Dense(), left, scope.constant(matrix.T if turned else matrix))
    right = b.value
    if scope.rank(left) < 2 or scope.rank(left) != scope.rank(right):
        raise scope.refuse(f"matrices of shapes {scope.shape(left)} and {scope.shape(right)} would mix examples")
    lead = [max(pair) for pair in zip(scope.shape(left)[:-2], scope.shape(right)[:-2], strict=True)]
    left, right = _spread(scope, left, lead), _spread(scope, right, lead)
    return scope.emit(MatMul(transposed=turned), left, right)


def _turned(count: int) -> list[int]:
    if count < 3:
        raise GraphError("a matrix has two axes beside the batch")
    return [*range(count - 2), count - 1, count - 2]


def _spread(scope: Scope, x: int, lead: list[int]) -> int:
    shape = scope.shape(x)
    if list(shape[:-2]) == lead:
        return x
    steps = tuple(int(a == b) for a, b in zip(shape, (*lead, *shape[-2:]), strict=True))
    return scope.emit(Slice((0,) * len(shape), (*lead, *shape[-2:]), steps), x)


@operation("Inner x1 x2")
def inner(scope: Scope, a: Any, b: Any) -> int:
    """Products with the rows of a constant."""
    return matmul(scope, a, b, transpose_b=True)  # type: ignore[return-value]


@operation("linalg.matvec a b transpose_a")
def times_vector(scope: Scope, a: Any, b: Any, transpose_a: Any = False) -> int:
    """Matrix by vector for each of the axes in front."""
    if not isinstance(b, Tensor):
        column = scope.constant(scope.array(b).reshape(-1, 1))
        left = (
            permuted(scope, scope.value(a), _turned(scope.rank(scope.value(a)) + 1)) if transpose_a else scope.value(a)
        )
        product = scope.emit(Dense(), left, column)
        return scope.reshape(product, scope.shape(product)[:-1])
    tall = Tensor(scope.reshape(b.value, (*scope.shape(b.value), 1)))
    y = matmul(scope, a, tall, transpose_a)
    assert isinstance(y, int)
    return scope.reshape(y, scope.shape(y)[:-1])


@operation("linalg.matrix_transpose a", "linalg.adjoint matrix")
def matrix_transpose(scope: Scope, x: Any) -> int:
    """The last two axes change places."""
    value = scope.value(x)
    return permuted(scope, value, _turned(scope.rank(value) + 1))


@operation("Tensordot x1 x2 axes", "tensordot a b axes", "linalg.tensordot a b axes")
def tensordot(scope: Scope, a: Any, b: Any, axes: Any = 2) -> int:
    """A product with a constant, summed over some axes of each."""
    value, array = scope.value(a), b
    if isinstance(b, Tensor):
        raise scope.refuse("a product of two values over such axes would mix examples")
    array, rank = scope.array(b), scope.rank(value)
    if isinstance(axes, list | tuple | np.ndarray):
        left, right = (scope.integers(part) for part in axes)
    else:
        count = scope.integer(axes)
        left, right = list(range(rank + 1 - count, rank + 1)), list(range(count))
    summed = [scope.axis(axis, rank) for axis in left]
    chosen = [axis % array.ndim for axis in right]
    if len(summed) != len(chosen):
        raise scope.wrong("as many axes of one as of the other", axes)
    rest = [axis for axis in range(array.ndim) if axis not in chosen]
    columns = [array.shape[axis] for axis in rest]
    matrix = array.transpose([*chosen, *rest]).reshape(prod(array.shape[axis] for axis in chosen), prod(columns))
    kept = [axis for axis in range(rank) if axis not in summed]
    sizes = [scope.shape(value)[axis] for axis in kept]
    y = scope.reshape(permuted(scope, value, [0, *(axis + 1 for axis in (*kept, *summed))]), (*sizes, matrix.shape[0]))
    return scope.reshape(scope.emit(Dense(), y, scope.constant(matrix)), (*sizes, *columns))


@operation(
    "DotProductAttention query key value bias mask scale is_causal flash_attention attn_logits_soft_cap",
)
def attention(
    scope: Scope,
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: Any = None,
    causal: Any = False,
    flash: Any = None,
    cap: Any = None,
) -> int:
    """softmax(query · key) · value of heads; sequences come as (steps, heads, size)."""
    if cap is not None:
        raise scope.refuse("a soft cap is not supported")
    q, k, v = (scope.emit(Transpose((1, 0, 2)), scope.value(x)) for x in (query, key, value))
    heads, rows, size = scope.shape(q)
    if scope.shape(k)[0] != heads:
        raise scope.refuse("groups of heads are not supported")
    scores = scope.emit(MatMul(True, size**-0.5 if scale is None else scope.number(scale)), q, k)
    if bias is not None:
        scores = scope.binary("add", *scope.together(Tensor(scores), bias))
    far = scope.number_of(-1e30)
    if mask is not None:
        counted, score = scope.together(mask, Tensor(scores))
        scores = scope.emit(Select(), counted, score, far)
    if scope.flag(causal):
        seen = scope.constant(np.tri(rows, scope.shape(k)[1]))
        scores = scope.emit(Select(), seen, scores, far)
    return scope.emit(Transpose((1, 0, 2)), scope.emit(MatMul(), scope.emit(Softmax(), scores), v))
