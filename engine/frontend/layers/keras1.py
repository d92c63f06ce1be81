"""Layers of Keras 1 whose options have no place in later versions."""

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import data_format
from engine.frontend.layers.transposed import transposed
from engine.frontend.registry import layer
from engine.ir.ops import Activate, Activation, Binary, Reduce, Reshape

_SMALL = 1e-7


@layer("Deconvolution2D")
def deconvolution(call: Call) -> int:
    """A transposed convolution that names the size of its result."""
    sizes = call.config.raw("output_shape")
    if not isinstance(sizes, list) or len(sizes) != 4 or not all(isinstance(n, int) for n in sizes[1:]):
        raise call.config.wrong("output_shape", "four sizes")
    return transposed(call, sizes[2:] if data_format(call) == "channels_first" else sizes[1:3])


@layer("MergedCosine")
def merged_cosine(call: Call) -> int:
    """The cosine of the angle between two vectors, as a matrix of one element: Keras 1's Merge of mode `cos`."""
    a, b = call.inputs if len(call.inputs) == 2 else (-1, -1)
    if a < 0 or call.rank(a) != 1 or call.shape(a) != call.shape(b):
        raise GraphError(f"expected two vectors, found shapes {[call.shape(x) for x in call.inputs]}")
    axes = call.config.raw("dot_axes", -1)
    if axes not in (1, -1, [1, 1], [-1, -1], [[1], [1]], [[-1], [-1]]):
        raise call.refuse(f"the axes {repr(axes)[:40]} are not supported")

    def product(x: int, y: int) -> int:
        return call.emit(Reduce("sum", (-1,), keepdims=True), call.emit(Binary("mul"), x, y))

    lengths = call.emit(Activate(Activation("sqrt")), call.emit(Binary("mul"), product(a, a), product(b, b)))
    y = call.emit(Binary("div"), product(a, b), call.emit(Binary("max"), lengths, call.scalar(_SMALL)))
    return call.emit(Reshape((1, 1)), y)
