"""Problems for tables, recurrence and products of two values."""

from collections.abc import Iterator

from engine.ir.ops import LINEAR, RELU, Embed, MatMul, Recurrent
from tests.kernels.problems import Problem


def tables() -> Iterator[Problem]:
    for width in (1, 3, 15, 16, 17, 33):
        yield Problem(Embed(), ((7,),), ((5, width),))
    yield Problem(Embed(), ((),), ((3, 4),))
    yield Problem(Embed(), ((40, 5),), ((2, 9),))


def products() -> Iterator[Problem]:
    for f in (1, 3, 16, 17, 31, 33, 64, 70):
        for transposed in (False, True):
            b = (f, 5) if transposed else (5, f)
            yield Problem(MatMul(transposed), ((4, 5), b))
            yield Problem(MatMul(transposed, 0.5), ((2, 3, 1, 5), (2, 3, *b)))
    for m in (1, 2, 7, 55, 56, 57, 120):
        yield Problem(MatMul(), ((m, 3), (3, 20)))
        yield Problem(MatMul(True), ((m, 70), (130, 70)))


def linear_recurrences() -> Iterator[Problem]:
    """Those whose numbers stay small integers: few steps, no product of gates."""
    for u in (1, 2, 15, 16, 17, 33, 130):
        yield Problem(Recurrent("simple", RELU), ((3, 2),), ((2, u), (u, u), (u,)))
        yield Problem(Recurrent("simple", LINEAR, sequences=True, backwards=True), ((2, 7),), ((7, u), (u, u), (u,)))
    several = Recurrent("simple", RELU, sequences=True, states=True, flipped=True)
    yield Problem(several, ((2, 5, 2, 4),), ((4, 4), (4, 4), (4,)))
    masked = Recurrent("simple", RELU, masked=True, initial=True)
    yield Problem(masked, ((3, 5), (3,), (4,)), ((5, 4), (4, 4), (4,)))


EXACT = [*tables(), *products(), *linear_recurrences()]
REAL = [*products()]
