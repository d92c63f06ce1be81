"""Layers that turn numbers into categories and categories into vectors. Whole numbers are float32 here."""

from collections.abc import Sequence

import numpy as np

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Binary, BinaryKind, Reduce, Reshape, Select

_MODES = ("int", "one_hot", "multi_hot", "count")


def _compared(call: Call, kind: BinaryKind, x: int, name: str, values: Sequence[float]) -> int:
    """1 and 0 for each element of `x` and each of `values`, along a new last axis."""
    table = call.derive(name, (len(values),), lambda: np.array(values, np.float64))
    return call.emit(Binary(kind), call.emit(Reshape((*call.shape(x), 1)), x), table)


def _encoded(call: Call, x: int, mode: str, depth: int) -> int:
    """Categories as Keras's `output_mode` has them, in vectors of `depth`."""
    if mode == "int":
        return x
    shape = call.shape(x)
    if mode == "one_hot" and shape[-1:] == (1,):
        x = call.emit(Reshape(shape[:-1]), x)
    elif mode != "one_hot" and len(shape) != 1:
        raise GraphError(f"{mode} needs one axis beside the batch, found shape {shape}")
    hot = _compared(call, "equal", x, "categories", range(depth))
    if mode == "one_hot":
        return hot
    return call.emit(Reduce("max" if mode == "multi_hot" else "sum", (-2,)), hot)


@layer("Discretization", ignored=("num_bins", "epsilon"))
def discretization(call: Call) -> int:
    """The number of boundaries that a value has reached."""
    mode = call.config.choice("output_mode", _MODES, "int")
    if call.config.raw("bin_boundaries", None) is None:
        raise call.refuse("the file does not hold its boundaries")
    boundaries = call.config.numbers("bin_boundaries")
    reached = _compared(call, "greater_equal", call.x, "boundaries", boundaries)
    return _encoded(call, call.emit(Reduce("sum", (-1,)), reached), mode, len(boundaries) + 1)


@layer("CategoryEncoding")
def category_encoding(call: Call) -> int:
    """Categories as vectors."""
    mode = call.config.choice("output_mode", _MODES[1:], "multi_hot")
    return _encoded(call, call.x, mode, call.config.integer("num_tokens"))


@layer("IntegerLookup", ignored=("vocabulary_dtype", "vocabulary_size", "oov_token", "idf_weights", "encoding"))
def integer_lookup(call: Call) -> int:
    """The place of a whole number in a vocabulary, behind places for a mask and for what is not in it."""
    config, mode = call.config, call.config.choice("output_mode", _MODES, "int")
    if config.flag("invert", False) or not isinstance(config.raw("vocabulary", None), list):
        raise call.refuse("only a lookup whose vocabulary is in the file, and is not inverted, is supported")
    config.choice("oov_method", ("floormod",), "floormod")
    unknown, mask = config.integer("num_oov_indices", 1, low=0), config.optional_number("mask_token")
    oov, masked = config.optional_number("oov_token"), mode == "int" and mask is not None
    start = int(masked)
    special = [*([mask] if masked else []), *[-1.0 if oov is None else oov] * unknown]
    vocabulary = list(config.numbers("vocabulary"))
    if special and vocabulary[: len(special)] == special:
        vocabulary = vocabulary[len(special) :]
    depth = start + unknown + len(vocabulary)
    if config.flag("pad_to_max_tokens", False):
        depth = config.integer("max_tokens")
    index = _places(call, vocabulary, start, unknown)
    if mask is not None:
        is_mask = call.emit(Binary("equal"), call.x, call.scalar(mask))
        index = call.emit(Select(), is_mask, call.scalar(0.0 if masked else -1.0), index)
    return _encoded(call, index, mode, depth)


def _places(call: Call, vocabulary: Sequence[float], start: int, unknown: int) -> int:
    """start + unknown + the place in the vocabulary, or start + x mod unknown for what is not in it, or −1."""
    found = _compared(call, "equal", call.x, "vocabulary", vocabulary)
    numbers = np.arange(len(vocabulary)) + start + unknown
    table = call.derive("places", (len(vocabulary),), lambda: numbers.astype(np.float64))
    place = call.emit(Reduce("sum", (-1,)), call.emit(Binary("mul"), found, table))
    if unknown < 2:
        other: int | Weight = call.scalar(start if unknown else -1.0)
    else:
        spread = call.emit(Binary("mod"), call.x, call.scalar(unknown))
        other = call.emit(Binary("add"), spread, call.scalar(start))
    return call.emit(Select(), call.emit(Reduce("max", (-1,)), found), place, other)
