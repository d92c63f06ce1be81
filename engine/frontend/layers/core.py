"""Dense layers and those that do nothing at inference."""

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.activation import fused_activation
from engine.frontend.registry import layer
from engine.ir.ops import Dense, Identity


@layer("InputLayer", ignored=("sparse", "ragged", "optional"))
def input_layer(call: Call) -> int:
    """Where values enter."""
    return call.x


@layer("Dense")
def dense(call: Call) -> int:
    """Matrix product over the last axis, bias, activation."""
    config, shape = call.config, call.shape(call.x)
    if not shape:
        raise GraphError("a dense layer needs an axis beside the batch")
    units = config.integer("units")
    weights = [call.weight("kernel", (shape[-1], units))]
    if config.flag("use_bias", True):
        weights.append(call.weight("bias", (units,)))
    return fused_activation(call, call.emit(Dense(), call.x, *weights))


@layer(
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    ignored=("rate", "stddev", "noise_shape", "data_format", "l1", "l2", "rng_type"),
)
def identity(call: Call) -> int:
    """The input itself: noise and regularisation act in training only."""
    return call.emit(Identity(), call.x)
