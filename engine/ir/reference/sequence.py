"""Tables and recurrence in NumPy."""

import numpy as np

from engine.ir.ops import Embed, Recurrent
from engine.ir.reference.activations import Array, activate
from engine.ir.reference.run import evaluate


@evaluate.register
def _(op: Embed, ids: Array, table: Array) -> Array:
    rows = len(table)
    found = np.where(np.isfinite(ids), np.trunc(ids), rows)
    found = np.where(found < 0, found + rows, found)
    inside = (found >= 0) & (found < rows)
    return np.where(inside[..., None], table[np.where(inside, found, 0).astype(int)], np.nan)


@evaluate.register
def _(op: Recurrent, x: Array, *more: Array) -> Array:
    values, (w, kernel, b, *bias) = list(more[: op.kernel_place - 1]), more[op.kernel_place - 1 :]
    z = x @ w + b
    mask = values.pop(0) if op.masked else np.ones(z.shape[:-1])
    zero = np.zeros((*z.shape[:-2], len(kernel)))
    states = values if op.initial else [zero] * op.state_count
    y, rows = zero, []
    order = range(z.shape[-2])
    for t in reversed(order) if op.backwards else order:
        fresh = _step(op, z[..., t, :], kernel, bias, states)
        counts = mask[..., t, None] != 0
        states = [np.where(counts, new, old) for new, old in zip(fresh, states, strict=True)]
        y = np.where(counts, fresh[0], zero if op.zeros else y)
        rows.append(y)
    rows = (rows[::-1] if op.flipped else rows) if op.sequences else rows[-1:]
    if op.sequences or op.states:
        return np.stack([*rows, *(states if op.states else [])], -2)
    return rows[0]


def _step(op: Recurrent, z: Array, kernel: Array, bias: list[Array], states: list[Array]) -> list[Array]:
    h, u = states[0], len(kernel)
    if op.kind == "simple":
        return [activate(op.activation, z + h @ kernel)]
    if op.kind == "lstm":
        i, f, g, o = np.split(z + h @ kernel, 4, -1)
        c = activate(op.gate, f) * states[1] + activate(op.gate, i) * activate(op.activation, g)
        return [activate(op.gate, o) * activate(op.activation, c), c]
    a, r = np.split(activate(op.gate, z[..., : 2 * u] + h @ kernel[:, : 2 * u]), 2, -1)
    inner = r * (h @ kernel[:, 2 * u :] + bias[0]) if op.kind == "gru_after" else (r * h) @ kernel[:, 2 * u :]
    return [a * h + (1 - a) * activate(op.activation, z[..., 2 * u :] + inner)]
