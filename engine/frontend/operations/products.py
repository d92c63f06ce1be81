"""Products that are summed along axes."""

from math import prod
from typing import Any

from engine.errors import GraphError
from engine.frontend.call import Tensor
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.shapes import permuted
from engine.frontend.operations.table import operation
from engine.ir.ops import Dense, MatMul, Reduce, Slice, Transpose


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


@operation("Einsum subscripts a b", "raw.Einsum equation a b")
def einsum(scope: Scope, subscripts: Any, a: Any, b: Any = None) -> int:
    """Products of one or two values, summed over letters that the result has not; the first letter is the batch."""
    terms, _, result = str(subscripts).replace(" ", "").partition("->")
    letters = terms.split(",")
    items = [a] if b is None else [a, b]
    if not result or len(letters) != len(items) or any(len(set(t)) < len(t) or not t.isalpha() for t in letters):
        raise scope.refuse(f"the equation {subscripts!r} is not supported")
    if len(items) == 2 and not isinstance(b, Tensor):
        return _by_constant(scope, letters[0], letters[1], result, scope.value(a), b)
    values = [_checked(scope, term, result, scope.value(item)) for term, item in zip(letters, items, strict=True)]
    inner = [term[1:] for term in letters]
    if len(values) == 1:
        return _arranged(scope, *_summed(scope, values[0], inner[0], result), result[1:])
    (x, p), (y, q) = (
        _summed(scope, v, term, other + result) for v, term, other in zip(values, inner, reversed(inner), strict=True)
    )
    return _multiplied(scope, x, p, y, q, result[1:])


def _checked(scope: Scope, term: str, result: str, value: int) -> int:
    if term[0] != result[0]:
        raise scope.refuse("the equation does not keep the batch in front")
    if len(term) != scope.rank(value) + 1:
        raise GraphError(f"{term!r} does not fit {scope.rank(value) + 1} axes")
    return value


def _summed(scope: Scope, x: int, term: str, wanted: str) -> tuple[int, str]:
    """The value without the letters that nobody wants."""
    axes = tuple(i - len(term) for i, c in enumerate(term) if c not in wanted)
    kept = "".join(c for c in term if c in wanted)
    return (scope.emit(Reduce("sum", axes), x), kept) if axes else (x, term)


def _arranged(scope: Scope, x: int, term: str, wanted: str) -> int:
    if sorted(term) != sorted(wanted):
        raise scope.refuse(f"cannot make axes {wanted!r} of {term!r}")
    return x if term == wanted else scope.emit(Transpose(tuple(term.index(c) for c in wanted)), x)


def _multiplied(scope: Scope, x: int, p: str, y: int, q: str, result: str) -> int:
    """A matrix product: letters that both and the result have in front, then rows, summed letters, columns."""
    both = [c for c in p if c in q]
    lead = "".join(c for c in both if c in result)
    summed = "".join(c for c in both if c not in result)
    rows, columns = ("".join(c for c in term if c not in both) for term in (p, q))
    sizes = dict(zip(p, scope.shape(x), strict=True))
    for letter, size in zip(q, scope.shape(y), strict=True):
        if sizes.setdefault(letter, size) != size:
            raise GraphError(f"axis {letter!r} has {sizes[letter]} elements, then {size}")

    def shape(*groups: str) -> tuple[int, ...]:
        return tuple(prod(sizes[c] for c in group) for group in groups)

    left = scope.reshape(_arranged(scope, x, p, lead + rows + summed), shape(lead, rows, summed))
    right = scope.reshape(_arranged(scope, y, q, lead + summed + columns), shape(lead, summed, columns))
    product = scope.emit(MatMul(), left, right)
    found = lead + rows + columns
    return _arranged(scope, scope.reshape(product, [sizes[c] for c in found]), found, result)


def _by_constant(scope: Scope, p: str, q: str, result: str, x: int, constant: Any) -> int:
    array = scope.array(constant)
    if len(q) != array.ndim or p[0] in q:
        raise scope.refuse("the equation does not keep the batch in front")
    _checked(scope, p, result, x)
    summed = "".join(c for c in p[1:] if c in q and c not in result)
    kept = "".join(c for c in p[1:] if c not in summed)
    columns = "".join(c for c in q if c not in summed)
    sizes = dict(zip(p[1:] + q, (*scope.shape(x), *array.shape), strict=False))
    if set(columns) & set(kept) or sorted(kept + columns) != sorted(result[1:]):
        raise scope.refuse("the equation is no matrix product")
    matrix = array.transpose([q.index(c) for c in summed + columns]).reshape(prod(sizes[c] for c in summed), -1)
    y = _arranged(scope, x, p[1:], kept + summed)
    y = scope.reshape(y, [*(sizes[c] for c in kept), matrix.shape[0]])
    y = scope.emit(Dense(), y, scope.constant(matrix))
    found = kept + columns
    return _arranged(scope, scope.reshape(y, [sizes[c] for c in found]), found, result[1:])
