"""What all operations share: shapes, activation functions, the base class."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from engine.errors import GraphError

Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
Pads: TypeAlias = tuple[Pair, Pair]

NO_PADS: Pads = ((0, 0), (0, 0))

ACTIVATIONS = (
    "linear", "relu", "sigmoid", "tanh", "elu", "selu", "softplus", "softsign", "swish", "gelu", "gelu_tanh",
    "hard_sigmoid", "exp", "mish", "log_sigmoid", "tanh_shrink", "soft_shrink", "hard_shrink", "celu", "squareplus",
    "sparse_plus", "sparse_sigmoid", "hard_tanh", "threshold", "hard_swish", "abs", "sqrt", "rsqrt", "reciprocal",
    "square", "negative", "log", "log1p", "expm1", "sign", "floor", "ceil", "round", "sin", "cos", "erf",
    "logical_not", "is_nan",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Activation:
    """An elementwise function with up to three float parameters.

    `relu`: `a` slope below `b`, `b` threshold, `c` upper limit: x ≥ b → min(x, c), else a·(x − b).
    `elu`, `celu`: `a` is alpha. `hard_sigmoid`, `hard_swish`: clip(a·x + b, 0, 1) (times x).
    `soft_shrink`, `hard_shrink`: `a` is the threshold. `squareplus`: `a` is b. `threshold`: x > a → x, else b.
    `round`: to even. `logical_not`, `is_nan`: 1 or 0.
    """

    kind: str = "linear"
    a: float = 0.0
    b: float = 0.0
    c: float = float("inf")

    def __post_init__(self) -> None:
        if self.kind not in ACTIVATIONS:
            raise GraphError(f"unknown activation {self.kind!r}")


LINEAR = Activation()
RELU = Activation("relu")


class Op:
    """Base of all operations."""

    operands: ClassVar[tuple[int, int]] = (1, 1)

    def result(self, *shapes: Shape) -> Shape:
        raise NotImplementedError


def image_axes(shape: Shape) -> tuple[Shape, int, int, int]:
    if len(shape) < 3:
        raise GraphError(f"expected an image (..., h, w, c), found shape {shape}")
    return shape[:-3], shape[-3], shape[-2], shape[-1]


def expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise GraphError(f"{what}: expected {expected}, found {found}")


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of an elementwise result, by NumPy's rule."""
    width = max(len(a), len(b))
    wide_a, wide_b = (1,) * (width - len(a)) + a, (1,) * (width - len(b)) + b
    for x, y in zip(wide_a, wide_b, strict=True):
        if x != y and 1 not in (x, y):
            raise GraphError(f"shapes {a} and {b} do not broadcast")
    return tuple(y if x == 1 else x for x, y in zip(wide_a, wide_b, strict=True))
