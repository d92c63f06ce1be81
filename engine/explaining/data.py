"""A traced picture as plain data: what the page draws, as JSON with arrays in base64.

Numbers of stages are stored whole, so that any window can be looked at, as long as they fit `BUDGET`. Of the other
stages the strongest channels are kept as small pictures, with the numbers of one window each.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.explaining.formulas import (
    activation_formula,
    parameter_count,
    parameter_formula,
    size_formulas,
    size_rule,
    volume,
)
from engine.explaining.stages import Stage
from engine.explaining.trace import Floats, Trace, Window, window
from engine.ir.ops import (
    LINEAR,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    GlobalPool,
    NormPool,
    Op,
    Pool,
)
from engine.ir.work import multiply_adds
from engine.look.fields import Field
from engine.look.reach import receptive_fields

BUDGET = 500_000
"""Numbers that are stored whole, at most."""

CHANNELS = 12
"""Channels of a stage that are shown where its numbers are not stored."""

UNITS = 64
"""Units of a dense layer that are shown where its weights are not stored."""

SIDE = 48
TERMS = 3
PARTS = 8


def array(values: NDArray[Any]) -> str:
    """Little-endian numbers of 4 bytes, or single bytes, in base64."""
    kind = np.uint8 if values.dtype == np.uint8 else np.dtype("<f4")
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


def stages_data(found: Trace) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]]]:
    """The stages, and the values that they refer to by number."""
    fields = receptive_fields(found.reader.graph)
    stored = Stored(found)
    stages = [_stage(found, stage, fields.get(stage.y), stored) for stage in found.stages]
    return stages, stored.values


class Stored:
    """What is stored whole, and how much room is left for more."""

    def __init__(self, found: Trace) -> None:
        self.values: dict[int, dict[str, Any]] = {}
        self._found = found
        self._left = BUDGET

    def take(self, values: Iterable[int], constants: int) -> bool:
        """Store values, and make room for so many constants, if all of it fits."""
        new = {v: self._found.values[v] for v in values if v not in self.values}
        needed = constants + sum(each.size for each in new.values())
        if needed > self._left:
            return False
        self._left -= needed
        self.values |= {v: {"shape": list(each.shape), "data": array(each)} for v, each in new.items()}
        return True


def _stage(found: Trace, stage: Stage, field: Field | None, stored: Stored) -> dict[str, Any]:
    graph = found.reader.graph
    x, y = graph.shapes[stage.x], graph.shapes[stage.y]
    source = found.reader.origin(stage.x)
    constants = sum(weight.size for weight in stage.weights)
    whole = stored.take([source, stage.y], constants)
    data = {
        "name": stage.title,
        "class_name": stage.class_name,
        "kind": kind_of(stage.op),
        "x": source,
        "y": stage.y,
        "in": list(x),
        "from": list(graph.shapes[source]),
        "out": list(y),
        "whole": whole,
        "sizes": size_formulas(stage, graph),
        "rule": size_rule(stage),
        "volume": volume(y),
        "parameters": parameter_formula(stage),
        "parameter_count": parameter_count(stage),
        "multiply_adds": multiply_adds(stage.op, [x], [w.shape for w in stage.weights], y),
        "field": _field(field),
        "geometry": _geometry(stage),
        "scale_name": stage.scale.layer if stage.scale else None,
        "activation": None if stage.activation == LINEAR else activation_formula(stage.activation),
        "softmax": stage.softmax,
        "after": [{"name": p.name, "class_name": p.class_name, "out": list(p.output_shape[1:])} for p in stage.after],
        **_small_constants(found, stage),
    }
    if len(y) == 3:
        data["order"] = [int(c) for c in strongest(found.values[stage.y])]
    if whole:
        return data | ({"kernel": array(found.constant(stage.kernel))} if stage.kernel else {})
    if len(y) == 3:
        return data | _samples(found, stage)
    stored.take([stage.y], 0)
    return data | ({"units": _units(found, stage, source)} if isinstance(stage.op, Dense) else {})


def kind_of(op: Op) -> str:
    """The word by which the page knows an operation."""
    match op:
        case Pool() | NormPool() | GlobalPool():
            return {"max": "maximum", "mean": "mean"}.get(op.kind, op.kind) if not isinstance(op, NormPool) else op.kind
        case DepthwiseConv():
            return "depthwise"
        case ConvTranspose():
            return "transposed"
        case Dense():
            return "dense"
    return "conv"


def _geometry(stage: Stage) -> dict[str, Any]:
    op = stage.op
    if isinstance(op, Conv | DepthwiseConv):
        size, dilation = list(stage.weights[0].shape[:2]), list(op.dilation)
    elif isinstance(op, Pool | NormPool):
        size, dilation = list(op.window), [1, 1]
    else:
        return {}
    before = [pads[0] for pads in op.pads]
    groups = op.groups if isinstance(op, Conv) else 1
    return {"size": size, "strides": list(op.strides), "before": before, "dilation": dilation, "groups": groups} | (
        {"p": op.p} if isinstance(op, NormPool) else {}
    )


def _field(field: Field | None) -> dict[str, list[float]] | None:
    """Where on the input an element of a result looks: cells `low` + i·`jump` to `high` + i·`jump`; None for all."""
    if field is None or len(field.axes) != 3 or not np.isfinite([*field.low[:2], *field.high[:2]]).all():
        return None
    jumps = [field.axes[i].jumps.get(i, 0.0) for i in (0, 1)]
    return {"low": list(field.low[:2]), "high": list(field.high[:2]), "jump": jumps, "size": list(field.sizes[:2])}


def _small_constants(found: Trace, stage: Stage) -> dict[str, Any]:
    constants: dict[str, Any] = {}
    if stage.bias is not None:
        constants["bias"] = array(found.constant(stage.bias))
    if stage.scale is not None:
        scale, shift = stage.scale.weights
        constants |= {"scale": array(found.constant(scale)), "shift": array(found.constant(shift))}
    return constants


def strongest(maps: Floats) -> NDArray[np.intp]:
    """The channels of (h, w, c), the one with the largest number first."""
    return np.argsort(-np.nan_to_num(np.abs(maps)).max(axis=(0, 1)), kind="stable")


def peak(maps: Floats, channel: int) -> tuple[int, int]:
    """Row and column of the largest number of a channel."""
    row, column = np.unravel_index(int(np.nan_to_num(np.abs(maps[:, :, channel])).argmax()), maps.shape[:2])
    return int(row), int(column)


def _samples(found: Trace, stage: Stage) -> dict[str, Any]:
    maps = found.values[stage.y]
    channels = [int(c) for c in strongest(maps)[:CHANNELS]]
    views = [small(maps[:, :, c]) for c in channels]
    data: dict[str, Any] = {
        "views": {
            "channels": channels,
            "shape": list(views[0].shape),
            "low": [float(view.min()) for view in views],
            "high": [float(view.max()) for view in views],
            "data": array(np.stack([as_bytes(view) for view in views])),
        }
    }
    if not isinstance(stage.op, ConvTranspose | GlobalPool):
        data["windows"] = [window_data(window(found, stage, *peak(maps, c), c), TERMS) for c in channels]
    return data


def window_data(seen: Window, most: int) -> dict[str, Any]:
    """A window with its largest terms; the others are one sum."""
    order = sorted(seen.terms, key=lambda term: -abs(term.total))
    shown, rest = order[:most], order[most:]
    return {
        "row": seen.row,
        "column": seen.column,
        "channel": seen.channel,
        "terms": [
            {
                "channel": term.channel,
                "patch": numbers(term.patch),
                "kernel": None if term.kernel is None else numbers(term.kernel),
                "total": term.total,
            }
            for term in shown
        ],
        "rest": {"count": len(rest), "total": sum(term.total for term in rest)},
        "total": seen.total,
        "bias": seen.bias,
        "value": seen.value,
    }


def numbers(values: Floats) -> list[list[float | None]]:
    """Rows of numbers; None where there is none."""
    return [[None if np.isnan(v) else float(v) for v in row] for row in values]


def _units(found: Trace, stage: Stage, source: int) -> list[dict[str, Any]]:
    assert stage.kernel is not None
    x, y = found.values[source].ravel(), found.values[stage.y]
    kernel = found.constant(stage.kernel)
    bias = np.zeros(len(y), np.float32) if stage.bias is None else found.constant(stage.bias)
    shape = found.reader.graph.shapes[source]
    return [_unit(x, kernel[:, j], float(bias[j]), float(y[j]), int(j), shape) for j in np.argsort(-y)[:UNITS]]


def _unit(x: Floats, w: Floats, bias: float, value: float, j: int, shape: tuple[int, ...]) -> dict[str, Any]:
    products = x.astype(np.float64) * w
    order = [int(i) for i in np.argsort(-np.abs(products))[:PARTS]]
    unit: dict[str, Any] = {
        "unit": j,
        "parts": [[i, float(x[i]), float(w[i])] for i in order],
        "rest": {"count": len(x) - len(order), "total": float(products.sum() - products[order].sum())},
        "total": float(products.sum()),
        "bias": bias,
        "value": value,
    }
    if len(shape) == 3 and shape[0] * shape[1] > 1:
        view = small(products.reshape(shape).sum(axis=2).astype(np.float32), 16)
        unit["map"] = {"shape": list(view.shape), "data": array(view)}
    return unit


def small(view: Floats, side: int = SIDE) -> Floats:
    """(h, w) with at most `side` cells along each axis: means of blocks."""
    step = max(1, -(-max(view.shape) // side))
    if step == 1:
        return view
    sums = _blocks(view.astype(np.float64), step)
    means: Floats = (sums / _blocks(np.ones(view.shape), step)).astype(np.float32)
    return means


def _blocks(view: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Sums of blocks of `step` by `step` cells."""
    for axis in (0, 1):
        view = np.add.reduceat(view, np.arange(0, view.shape[axis], step), axis)
    return view


def as_bytes(view: Floats) -> NDArray[np.uint8]:
    """The smallest number as 0, the largest as 255."""
    finite = np.nan_to_num(view)
    low, high = float(finite.min()), float(finite.max())
    scaled: NDArray[np.uint8] = ((finite - low) * (255 / (high - low) if high > low else 0.0) + 0.5).astype(np.uint8)
    return scaled


def picture_data(x: Floats) -> Mapping[str, Any]:
    """The input as the model sees it: channels 1 or 3, its range shown from black to white."""
    image = x if x.ndim == 3 else x[:, :, None]
    step = max(1, -(-max(image.shape[:2]) // 224))
    shown = image[::step, ::step]
    return {
        "shape": list(image.shape),
        "low": float(image.min()),
        "high": float(image.max()),
        "view": {"shape": list(shown.shape), "data": array(as_bytes(shown))},
    }
