"""Layers of Keras 1 whose options have no place in later versions."""

from engine.frontend.call import Call
from engine.frontend.layers.transposed import conv_transpose
from engine.frontend.registry import layer


@layer("Deconvolution2D")
def deconvolution(call: Call) -> int | tuple[int, ...]:
    """A transposed convolution that names the size of its result."""
    y = conv_transpose(call)
    assert isinstance(y, int)
    wanted = tuple(call.config.raw("output_shape"))[1:]
    if call.shape(y) != wanted:
        raise call.refuse(f"its output_shape {wanted} is not the usual {call.shape(y)}, which is not supported")
    return y
