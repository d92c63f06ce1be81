"""Masks: which steps of a sequence count. What each class of layers does with the masks of its inputs.

A mask is a value of ones and zeros whose shape is the beginning of the shape of the value that carries it. Layers that
are in none of the tables, and set no mask themselves, let it go.
"""

from collections.abc import Callable
from functools import reduce
from typing import TypeAlias

from engine.frontend.call import Call
from engine.frontend.layers.geometry import example_axis
from engine.ir.ops import Binary, Concat, Identity, Reduce, Reshape

Rule: TypeAlias = Callable[[Call], int | None]

KEEPING = frozenset({
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "ELU",
    "GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity", "InputLayer", "LayerNormalization",
    "LeakyReLU", "Normalization", "PReLU", "ReLU", "Rescaling", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "ThresholdedReLU", "UnitNormalization",
})  # fmt: skip
"""Classes whose results carry the mask of their first input."""


def hand_on_masks(call: Call, outputs: tuple[int, ...]) -> tuple[int, ...]:
    """Give the results of a call the masks that their class gives them, unless the layer function has done so."""
    if call.masked:
        return outputs
    rule = _RULES.get(call.layer.spec.class_name, _drop)
    mask = rule(call)
    fresh = [call.emit(Identity(), y) if y in call.inputs and call.mask(y) != mask else y for y in outputs]
    for output in fresh:
        call.set_mask(output, mask)
    return tuple(fresh)


def _drop(call: Call) -> int | None:
    return None


def _keep(call: Call) -> int | None:
    return call.mask(call.inputs[0])


def _merge(call: Call) -> int | None:
    """Keras 2: a step counts if all masks say so. Keras 3: if one does, and only if every input has a mask."""
    masks = [call.mask(x) for x in call.inputs]
    known = [mask for mask in masks if mask is not None]
    if not known or (call.dialect.major > 2 and None in masks):
        return None
    return reduce(lambda a, b: call.emit(Binary("min" if call.dialect.major <= 2 else "max"), a, b), known)


def _concatenate(call: Call) -> int | None:
    """Masks as wide as their inputs are joined; then Keras 2 wants all of the last axis to count, Keras 3 any."""
    if all(call.mask(x) is None for x in call.inputs):
        return None
    rank = call.rank(call.inputs[0])
    axis = example_axis(call.config.integer("axis", -1, low=-rank), rank)
    joined = call.emit(Concat(axis - rank), *(_wide_mask(call, x) for x in call.inputs))
    return call.emit(Reduce("min" if call.dialect.major <= 2 else "max", (-1,)), joined)


def _wide_mask(call: Call, x: int) -> int:
    shape, mask = call.shape(x), call.mask(x)
    ones = call.constant(f"ones_{'x'.join(map(str, shape))}", [1.0], shape)
    if mask is None:
        return call.emit(Binary("logical_or"), x, ones)
    missing = len(shape) - call.rank(mask)
    return call.emit(Binary("mul"), call.emit(Reshape((*call.shape(mask), *(1,) * missing)), mask), ones)


_RULES: dict[str, Rule] = {
    **dict.fromkeys(KEEPING, _keep),
    **dict.fromkeys(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"), _merge),
    "Concatenate": _concatenate,
}
