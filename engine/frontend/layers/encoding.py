"""Layers that turn numbers into categories and categories into vectors. Whole numbers are float32 here."""

from collections.abc import Sequence

import numpy as np

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Binary, BinaryKind, Embed, Reduce, Reshape, Select

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


@layer("IntegerLookup", ignored=("vocabulary_dtype", "vocabulary_size", "oov_token", "encoding"))
def integer_lookup(call: Call) -> int:
    """The place of a number in a vocabulary, after places for a mask and for what is not in it; or the reverse."""
    config, mode = call.config, call.config.choice("output_mode", (*_MODES, "tf_idf"), "int")
    if not isinstance(config.raw("vocabulary", None), list):
        raise call.refuse("the file does not hold its vocabulary")
    config.choice("oov_method", ("floormod",), "floormod")
    unknown, mask = config.integer("num_oov_indices", 1, low=0), config.optional_number("mask_token")
    oov, masked = config.optional_number("oov_token"), mode == "int" and mask is not None
    start, other = int(masked), -1.0 if oov is None else oov
    special = [*([mask] if mask is not None and masked else []), *[other] * unknown]
    vocabulary = list(config.numbers("vocabulary"))
    if special and vocabulary[: len(special)] == special:
        vocabulary = vocabulary[len(special) :]
    if config.flag("invert", False):
        return _inverted(call, [*special, *vocabulary], other)
    depth = start + unknown + len(vocabulary)
    if config.flag("pad_to_max_tokens", False):
        depth = config.integer("max_tokens")
    index = _places(call, vocabulary, start, unknown)
    if mask is not None:
        is_mask = call.emit(Binary("equal"), call.x, call.scalar(mask))
        index = call.emit(Select(), is_mask, call.scalar(0.0 if masked else -1.0), index)
    if mode == "tf_idf":
        return call.emit(Binary("mul"), _encoded(call, index, "count", depth), _weights(call, unknown, depth))
    return _encoded(call, index, mode, depth)


def _inverted(call: Call, words: Sequence[float], other: float) -> int:
    """The number at each place of a vocabulary; `other` outside of it."""
    table = call.derive("words", (len(words), 1), lambda: np.array(words, np.float64).reshape(-1, 1))
    found = call.emit(Reshape(call.shape(call.x)), call.emit(Embed(), call.x, table))
    low = call.emit(Binary("greater_equal"), call.x, call.scalar(0.0))
    high = call.emit(Binary("less"), call.x, call.scalar(float(len(words))))
    return call.emit(Select(), call.emit(Binary("logical_and"), low, high), found, call.scalar(other))


def _weights(call: Call, unknown: int, depth: int) -> Weight:
    """How rare each number of the vocabulary is; others count as the mean. Keras 2 saves them as a weight."""
    if call.dialect.major <= 2:
        call.config.raw("idf_weights", None)
        return call.weight("idf_weights", (depth,), trainable=False)
    given = np.array(call.config.numbers("idf_weights"))
    weights = np.concatenate([np.full(unknown, given.mean() if given.size else 0.0), given])
    if len(weights) > depth:
        raise call.config.wrong("idf_weights", "as many numbers as the vocabulary has")
    return call.derive("idf_weights", (depth,), lambda: np.pad(weights, (0, depth - len(weights))))


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
