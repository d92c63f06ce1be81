"""Convolutions, pools and padding in NumPy."""

from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.ir.ops import Conv, DepthwiseConv, GlobalPool, NormPool, Pad, Pads, Pair, Pool
from engine.ir.reference.activations import Array, activate
from engine.ir.reference.run import evaluate


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
def _(op: NormPool, x: Array) -> Array:
    windows = _windows(_images(x), op.window, op.strides, op.pads, (1, 1), 0.0)
    if op.kind == "norm":
        y = (np.abs(windows) ** op.p).sum((-2, -1)) ** (1 / op.p)
    else:
        positive = np.maximum(windows, 0.0)
        total = positive.sum((-2, -1))
        y = np.where(total == 0, 0.0, (positive * positive).sum((-2, -1)) / total)
    return y.reshape(*x.shape[:-3], *y.shape[1:])


@evaluate.register
def _(op: GlobalPool, x: Array) -> Array:
    return (np.max if op.kind == "max" else np.mean)(x, axis=(-3, -2), keepdims=op.keepdims)


@evaluate.register
def _(op: Pad, x: Array) -> Array:
    return np.pad(x, (*[(0, 0)] * (x.ndim - 3), *op.pads, (0, 0)))
