"""Products after Einstein: letters say which axes are summed."""

from math import prod
from typing import Any

from engine.errors import GraphError
from engine.frontend.call import Tensor
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.ir.ops import Dense, MatMul, Reduce, Transpose


@operation("Einsum subscripts a b c d", "raw.Einsum equation a b c d")
def einsum(scope: Scope, subscripts: Any, a: Any, b: Any = None, c: Any = None, d: Any = None) -> int:
    """Products of up to four values, summed over letters that the result has not; the first letter is the batch."""
    terms, _, result = str(subscripts).replace(" ", "").partition("->")
    letters = terms.split(",")
    items = [item for item in (a, b, c, d) if item is not None]
    while len(items) > 2 and len(letters) == len(items):
        later = "".join(letters[2:]) + result
        both = "".join(dict.fromkeys(c for c in letters[0] + letters[1] if c in later))
        product = einsum(scope, f"{letters[0]},{letters[1]}->{both}", *items[:2])
        assert isinstance(product, int)
        items, letters = [Tensor(product), *items[2:]], [both, *letters[2:]]
    b = items[1] if len(items) == 2 else None
    a = items[0]
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
