"""The slow twin: what every operation means, in NumPy float64, written to be obviously right.

Arrays carry the batch axis first. Inputs and weights below the smallest normal float32 count as zero, as they do in
the kernels. Kernels are tested against this module and `infer verify` runs whole models on it.
"""

from collections.abc import Callable, Sequence
from functools import singledispatch
from math import erf, prod
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.ir.graph import Graph, Operand, Weight
from engine.ir.ops import (
    Activate,
    Activation,
    Binary,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Identity,
    Op,
    Pad,
    Pads,
    Pair,
    Pool,
    Reshape,
    ScaleShift,
    Shape,
    Softmax,
    Transpose,
)

Array: TypeAlias = NDArray[Any]

_TINY = float(np.finfo(np.float32).tiny)


def flush(array: NDArray[Any]) -> Array:
    """A float64 copy in which float32 denormals are zero."""
    wide = np.asarray(array, np.float64)
    return np.where(np.abs(wide) < _TINY, 0.0, wide)


def run(graph: Graph, inputs: Sequence[NDArray[Any]]) -> dict[int, Array]:
    """Every value of the graph for a batch. `inputs` are arrays (n, ...) in the order of `graph.inputs`."""
    values = {v: flush(x) for v, x in zip(graph.inputs, inputs, strict=True)}
    for node in graph.nodes:
        operands = [flush(o.read()) if isinstance(o, Weight) else values[o] for o in node.operands]
        if isinstance(node.op, Binary):
            operands = [_widened(o, a, graph.shapes[node.output]) for o, a in zip(node.operands, operands, strict=True)]
        with np.errstate(all="ignore"):
            values[node.output] = evaluate(node.op, *operands)
    return values


def _widened(operand: Operand, array: Array, result: Shape) -> Array:
    """A value with as many axes as the result has, so that its batch axis broadcasts with nothing else."""
    if isinstance(operand, Weight):
        return array
    return array.reshape(len(array), *[1] * (len(result) + 1 - array.ndim), *array.shape[1:])


@singledispatch
def evaluate(op: Op, *operands: Array) -> Array:
    """The value of one operation. Weights come without a batch axis, everything else with one."""
    raise NotImplementedError(type(op).__name__)


def activate(f: Activation, x: Array) -> Array:
    """An activation function, element by element."""
    if f.kind == "linear":
        return x
    with np.errstate(all="ignore"):
        return _ACTIVATIONS[f.kind](x, f)


def _windows(x: Array, kernel: Pair, strides: Pair, pads: Pads, dilation: Pair, fill: float) -> Array:
    """(n, h, w, c) → (n, oh, ow, c, kh, kw)."""
    x = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    view = sliding_window_view(x, span, axis=(1, 2))
    return view[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]


def _images(x: Array) -> Array:
    return x.reshape(prod(x.shape[:-3]), *x.shape[-3:])


@evaluate.register
def _(op: Conv, x: Array, w: Array, bias: Array | float = 0.0) -> Array:
    windows = _windows(_images(x), w.shape[:2], op.strides, op.pads, op.dilation, 0.0)
    n, oh, ow, c, kh, kw = windows.shape
    windows = windows.reshape(n, oh, ow, op.groups, c // op.groups, kh, kw)
    kernels = w.reshape(kh, kw, c // op.groups, op.groups, -1)
    y = np.einsum("nyxgckl,klcgf->nyxgf", windows, kernels, optimize=True).reshape(n, oh, ow, -1)
    return activate(op.activation, y + bias).reshape(*x.shape[:-3], oh, ow, -1)


@evaluate.register
def _(op: DepthwiseConv, x: Array, w: Array, bias: Array | float = 0.0) -> Array:
    windows = _windows(_images(x), w.shape[:2], op.strides, op.pads, op.dilation, 0.0)
    n, oh, ow = windows.shape[:3]
    y = np.einsum("nyxckl,klcm->nyxcm", windows, w).reshape(n, oh, ow, -1)
    return activate(op.activation, y + bias).reshape(*x.shape[:-3], oh, ow, -1)


@evaluate.register
def _(op: Dense, x: Array, w: Array, bias: Array | float = 0.0) -> Array:
    return activate(op.activation, x @ w + bias)


@evaluate.register
def _(op: Pool, x: Array) -> Array:
    fill = -np.inf if op.kind == "max" else 0.0
    windows = _windows(_images(x), op.window, op.strides, op.pads, (1, 1), fill)
    if op.kind == "max":
        y = windows.max((-2, -1))
    else:
        ones = np.ones((1, *x.shape[-3:-1], 1))
        y = windows.sum((-2, -1)) / _windows(ones, op.window, op.strides, op.pads, (1, 1), 0.0).sum((-2, -1))
    return y.reshape(*x.shape[:-3], *y.shape[1:])


@evaluate.register
def _(op: GlobalPool, x: Array) -> Array:
    return (np.max if op.kind == "max" else np.mean)(x, axis=(-3, -2), keepdims=op.keepdims)


@evaluate.register
def _(op: Pad, x: Array) -> Array:
    return np.pad(x, (*[(0, 0)] * (x.ndim - 3), *op.pads, (0, 0)))


@evaluate.register
def _(op: ScaleShift, x: Array, scale: Array, shift: Array) -> Array:
    return activate(op.activation, x * scale + shift)


@evaluate.register
def _(op: Activate, x: Array) -> Array:
    return activate(op.activation, x)


@evaluate.register
def _(op: Softmax, x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@evaluate.register
def _(op: Binary, a: Array, b: Array) -> Array:
    return activate(op.activation, _BINARY[op.kind](a, b))


@evaluate.register
def _(op: Concat, *operands: Array) -> Array:
    return np.concatenate(operands, op.axis)


@evaluate.register
def _(op: Reshape, x: Array) -> Array:
    return x.reshape(x.shape[0], *op.shape)


@evaluate.register
def _(op: Transpose, x: Array) -> Array:
    return x.transpose(0, *(a + 1 for a in op.axes))


@evaluate.register
def _(op: Identity, x: Array) -> Array:
    return x


_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
}


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.logaddexp(x, 0.0)


def _hard_sigmoid(x: Array, f: Activation) -> Array:
    return np.clip(f.a * x + f.b, 0, 1)


def _elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _gelu_tanh(x: Array) -> Array:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_erf = np.vectorize(erf, otypes=[np.float64])

_ACTIVATIONS: dict[str, Callable[[Array, Activation], Array]] = {
    "relu": lambda x, f: np.where(x >= f.b, np.minimum(x, f.c), np.where(np.isnan(x), x, f.a * (x - f.b))),
    "sigmoid": lambda x, f: _sigmoid(x),
    "tanh": lambda x, f: np.tanh(x),
    "elu": lambda x, f: _elu(x, f.a),
    "selu": lambda x, f: SELU_SCALE * _elu(x, SELU_ALPHA),
    "softplus": lambda x, f: _softplus(x),
    "softsign": lambda x, f: x / (1 + np.abs(x)),
    "swish": lambda x, f: x * _sigmoid(x),
    "gelu": lambda x, f: 0.5 * x * (1 + _erf(x / np.sqrt(2))),
    "gelu_tanh": lambda x, f: _gelu_tanh(x),
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": lambda x, f: x * _hard_sigmoid(x, f),
    "exp": lambda x, f: np.exp(x),
    "mish": lambda x, f: x * np.tanh(_softplus(x)),
    "log_sigmoid": lambda x, f: -_softplus(-x),
    "tanh_shrink": lambda x, f: x - np.tanh(x),
    "soft_shrink": lambda x, f: np.where(x > f.a, x - f.a, np.where(x < -f.a, x + f.a, x * 0.0)),
    "hard_shrink": lambda x, f: np.where(np.abs(x) <= f.a, 0.0, x),
    "celu": lambda x, f: np.where(x > 0, x, f.a * np.expm1(x / f.a)),
    "squareplus": lambda x, f: 0.5 * (x + np.sqrt(x * x + f.a)),
    "sparse_plus": lambda x, f: np.where(x <= -1, x * 0.0, np.where(x < 1, 0.25 * (x + 1) ** 2, x)),
    "sparse_sigmoid": lambda x, f: np.clip(0.5 * (x + 1), 0, 1),
    "hard_tanh": lambda x, f: np.clip(x, -1, 1),
    "threshold": lambda x, f: np.where(np.isnan(x) | (x > f.a), x, f.b),
}
