"""The problems table of operations that pick, reduce, normalize and resample along axes; see `problems`."""

from collections.abc import Iterator

from engine.ir.ops import (
    RELU,
    Binary,
    BinaryKind,
    ConvTranspose,
    Gather,
    LocalDense,
    Normalize,
    NormPool,
    Reduce,
    RegionPool,
    Regions,
    Resample,
    Select,
    Slice,
)
from tests.kernels.problems import Problem, same

COMPARISONS: tuple[BinaryKind, ...] = (
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
)  # fmt: skip


def selections() -> Iterator[Problem]:
    for begin, count, step in (
        ((0, 0, 0), (5, 6, 33), (1, 1, 1)),
        ((1, 2, 3), (2, 3, 17), (2, 1, 1)),
        ((4, 5, 32), (5, 6, 33), (-1, -1, -1)),
        ((0, 5, 0), (3, 2, 11), (2, -3, 3)),
        ((2, 0, 7), (1, 6, 1), (1, 1, 1)),
        ((3, 1, 0), (7, 2, 33), (0, 0, 1)),
        ((0, 0, 4), (5, 6, 40), (1, 1, 0)),
    ):
        yield Problem(Slice(begin, count, step), ((5, 6, 33),))
    yield Problem(Slice((1,), (4,), (2,)), ((9,),))
    yield Problem(Slice((1, 0, 2, 1, 0, 1), (2, 2, 2, 2, 2, 2), (1, 2, -1, 1, 1, 1)), ((3, 3, 3, 3, 3, 3),))
    yield Problem(Slice((0, 0, 0, 0, 0), (3, 2, 4, 3, 5), (1, 0, 1, 0, 1)), ((3, 1, 4, 1, 5),))
    for axis, size in ((-1, 6), (-2, 5), (-3, 4)):
        yield Problem(Gather(axis, (size - 1, 0, 0, 2, 1, 3, 3)), ((4, 5, 6),))
    yield Problem(Gather(-2, (2, 0)), ((3, 40),))
    yield Problem(Gather(-1, (2, 0)), ((3,),))
    for a, b, c in (
        ((4, 17), (4, 17), (4, 17)),
        ((4, 1), (17,), (4, 17)),
        ((2, 3, 4), (1, 3, 1), (4,)),
        ((), (3,), ()),
        ((2, 1, 5), (3, 1), (2, 3, 5)),
    ):
        yield Problem(Select(), (a, b, c))
    yield Problem(Select(), ((4, 5),), ((4, 5), ()))


def reductions() -> Iterator[Problem]:
    for kind in ("sum", "max", "min", "prod", "mean"):
        for axes in ((-1,), (-2,), (-3,), (-1, -2), (-3, -1), (-3, -2), (-3, -2, -1)):
            yield Problem(Reduce(kind, axes), ((2, 3, 4),))  # type: ignore[arg-type]
    for shape, axes in (
        ((5, 17), (-1,)),
        ((5, 17), (-2,)),
        ((33,), (-1,)),
        ((40, 3), (-1,)),
        ((3, 100), (-1,)),
        ((1, 5, 1), (-2,)),
        ((5, 1), (-2,)),
        ((4, 1, 6), (-2,)),
        ((2, 3, 2, 3, 2, 3), (-6, -4, -2)),
        ((2, 3, 2, 3, 2, 3), (-5, -3, -1)),
    ):
        yield Problem(Reduce("sum", axes), (shape,))
        yield Problem(Reduce("min", axes, keepdims=True), (shape,))


def normalizations() -> Iterator[Problem]:
    for c in (1, 2, 15, 16, 17, 33, 100):
        for centered in (True, False):
            yield Problem(Normalize(1e-3, centered), ((3, c),), ((c,), (c,)))
    yield Problem(Normalize(1e-5), ((2, 700, 5),), ((5,), (5,)))


def norm_pools() -> Iterator[Problem]:
    for kind in ("norm", "stochastic"):
        for c in (1, 16, 19):
            yield Problem(NormPool(kind, (2, 2), (2, 2)), ((6, 8, c),))  # type: ignore[arg-type]
            yield Problem(NormPool(kind, (3, 2), (1, 2), same(3, 2)), ((2, 5, 4, c),))  # type: ignore[arg-type]
    for p in (1.0, 3.0, 2.5):
        yield Problem(NormPool("norm", (2, 3), (2, 1), p=p), ((6, 8, 5),))


def resamples() -> Iterator[Problem]:
    for axis in (-1, -2, -3):
        for taps, starts in ((1, (0, 3, 3, 1)), (2, (0, 0, 1, 2, 2)), (4, (0,))):
            yield Problem(Resample(axis, starts), ((4, 5, 6),), ((len(starts), taps),))
    for c in (1, 15, 16, 17, 40):
        yield Problem(Resample(-2, (0, 4, 2)), ((7, c),), ((3, 3),))


def local_products() -> Iterator[Problem]:
    for f in (1, 15, 16, 17, 40):
        yield Problem(LocalDense(), ((3, 5),), ((3, 5, f),))
    yield Problem(LocalDense(), ((2, 4, 9),), ((4, 9, 3),))


def transposed_convolutions() -> Iterator[Problem]:
    for f in (1, 15, 16, 17, 40):
        weights = (3, 2, 3, f), (f,)
        yield Problem(ConvTranspose((2, 3), (1, 0), (7, 14), activation=RELU), ((4, 5, 3),), weights)
    for dilation in ((1, 1), (2, 3)):
        yield Problem(ConvTranspose((1, 1), (1, 1), (4, 5), dilation), ((2, 4, 5, 3),), ((3, 3, 3, 4),))
        yield Problem(ConvTranspose((2, 2), (0, 2), (12, 9), dilation), ((4, 5, 3),), ((3, 3, 3, 4), (4,)))


def regions() -> Iterator[Problem]:
    rows: Regions = ((0, 1), (1, 4), (3, 5), (0, 5))
    columns: Regions = ((0, 2), (2, 6), (5, 6))
    for kind in ("max", "mean"):
        for c in (1, 16, 17, 40):
            yield Problem(RegionPool(kind, rows, columns), ((5, 6, c),))  # type: ignore[arg-type]
        yield Problem(RegionPool(kind, rows, columns), ((2, 5, 6, 3),))  # type: ignore[arg-type]


def elementwise(*kinds: BinaryKind) -> Iterator[Problem]:
    for kind in kinds:
        yield Problem(Binary(kind), ((4, 5, 7), (4, 5, 7)))
        yield Problem(Binary(kind), ((5, 1), (1, 37)))


CONTINUOUS = [
    *selections(),
    *reductions(),
    *resamples(),
    *regions(),
    *local_products(),
    *transposed_convolutions(),
    *elementwise("squared_difference", "prelu"),
]
EXACT = [*CONTINUOUS, *elementwise(*COMPARISONS, "mod", "floor_divide")]
REAL = [*CONTINUOUS, *elementwise(*COMPARISONS), *norm_pools()]
