"""Layers that are defined inside keras.applications."""

import numpy as np

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.registry import layer
from engine.ir.ops import Binary, Identity, ScaleShift


@layer("CustomScaleLayer")
def custom_scale(call: Call) -> int:
    """InceptionResNetV2's residual: the first input plus the second times a number."""
    if len(call.inputs) != 2:
        raise GraphError(f"expected two inputs, found {len(call.inputs)}")
    x, residual = call.inputs
    size = call.shape(residual)[-1]
    scale = call.constant("scale", [call.config.number("scale")], (size,))
    scaled = call.emit(ScaleShift(), residual, scale, call.constant("shift", [0.0], (size,)))
    return call.emit(Binary("add"), x, scaled)


@layer("LayerScale", ignored=("init_values",))
def layer_scale(call: Call) -> int:
    """ConvNeXt's factor for each channel."""
    size = call.config.integer("projection_dim")
    gamma = call.weight("gamma", (size,))
    return call.emit(ScaleShift(), call.x, gamma, call.derive("shift", (size,), lambda: np.zeros(size)))


@layer("StochasticDepth", ignored=("drop_path_rate",))
def stochastic_depth(call: Call) -> int:
    """ConvNeXt's dropout of whole branches: nothing at inference."""
    return call.emit(Identity(), call.x)
