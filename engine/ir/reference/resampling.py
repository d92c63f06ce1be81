"""Windows that differ from place to place, in NumPy."""

import numpy as np

from engine.ir.ops import ConvTranspose, RegionPool, Resample
from engine.ir.reference.activations import Array, activate
from engine.ir.reference.run import evaluate


@evaluate.register
def _(op: Resample, x: Array, w: Array) -> Array:
    x = np.moveaxis(x, op.axis, -1)
    parts = [x[..., s : s + w.shape[1]] @ row for s, row in zip(op.starts, w, strict=True)]
    return np.moveaxis(np.stack(parts, -1), -1, op.axis)


@evaluate.register
def _(op: RegionPool, x: Array) -> Array:
    join = np.max if op.kind == "max" else np.mean
    rows = [[join(x[..., a:b, c:d, :], axis=(-3, -2)) for c, d in op.columns] for a, b in op.rows]
    return np.stack([np.stack(row, -2) for row in rows], -3)


@evaluate.register
def _(op: ConvTranspose, x: Array, w: Array, bias: Array | float = 0.0) -> Array:
    kh, kw, _, f = w.shape
    h, wd = x.shape[-3:-1]
    (sh, sw), (dh, dw), (top, left) = op.strides, op.dilation, op.begin
    whole = [max((n - 1) * s + (k - 1) * d + 1, b + e) for n, s, k, d, b, e in zip(
        (h, wd), op.strides, (kh, kw), op.dilation, op.begin, op.extent, strict=True)]  # fmt: skip
    y = np.zeros((*x.shape[:-3], *whole, f))
    for r in range(kh):
        for s in range(kw):
            rows = slice(r * dh, r * dh + (h - 1) * sh + 1, sh)
            columns = slice(s * dw, s * dw + (wd - 1) * sw + 1, sw)
            y[..., rows, columns, :] += x @ w[r, s]
    y = y[..., top : top + op.extent[0], left : left + op.extent[1], :]
    return activate(op.activation, y + bias)
