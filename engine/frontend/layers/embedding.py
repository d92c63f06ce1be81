"""Where sequences begin: tables of vectors, and masks for steps that do not count."""

from engine.frontend.call import Call
from engine.frontend.registry import layer
from engine.ir.ops import Binary, Embed, Reduce, Reshape


@layer("Embedding", ignored=("input_length", "sparse", "batch_input_shape"))
def embedding(call: Call) -> int:
    """The rows of a table that the inputs number. With mask_zero, number 0 stands for a step that does not count."""
    config, x = call.config, call.x
    table = call.weight("embeddings", (config.integer("input_dim"), config.integer("output_dim")))
    y = call.emit(Embed(), x, table)
    zero = call.constant("zero", [0.0], (1,))
    call.set_mask(y, _counts(call, x, zero) if config.flag("mask_zero", False) else None)
    return y


def _counts(call: Call, x: int, zero: object) -> int:
    shape = call.shape(x)
    wide = call.emit(Reshape((*shape, 1)), x)
    return call.emit(Reshape(shape), call.emit(Binary("not_equal"), wide, zero))  # type: ignore[arg-type]


@layer("Masking")
def masking(call: Call) -> int:
    """The input, with zeros in the steps whose numbers all equal the mask value; these do not count."""
    x = call.x
    value = call.constant("mask_value", [call.config.number("mask_value", 0.0)], (1,))
    mask = call.emit(Reduce("max", (-1,)), call.emit(Binary("not_equal"), x, value))
    y = call.emit(Binary("mul"), x, call.emit(Reshape((*call.shape(mask), 1)), mask))
    call.set_mask(y, mask)
    return y
