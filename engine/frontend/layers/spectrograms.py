"""Layers that turn sound into pictures of its frequencies. A window's transform is a convolution."""

from math import ceil, log2, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import require_rank, same_pads
from engine.frontend.registry import layer
from engine.ir.graph import Operand, Weight
from engine.ir.ops import (
    Activate,
    Activation,
    Binary,
    Concat,
    Conv,
    Dense,
    Gather,
    Pair,
    Reduce,
    Reshape,
    Slice,
    Transpose,
)

_SMALL = 1e-7
_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


def _frames(call: Call, x: int, kernel: Weight, step: int, pads: Pair = (0, 0)) -> int:
    """(..., t) → (..., frames, f): each window of `kernel` (1, length, 1, f), summed with it."""
    *lead, t = call.shape(x)
    image = call.emit(Reshape((*lead, 1, t, 1)), x)
    y = call.emit(Conv(strides=(1, step), pads=((0, 0), pads)), image, kernel)
    return call.emit(Reshape((*lead, *call.shape(y)[-2:])), y)


def _activate(call: Call, x: int, kind: str) -> int:
    return call.emit(Activate(Activation(kind)), x)


def _power(call: Call, real: int, imaginary: int) -> int:
    return call.emit(Binary("add"), _activate(call, real, "square"), _activate(call, imaginary, "square"))


@layer("STFTSpectrogram", ignored=("window", "periodic", "scaling"))
def stft_spectrogram(call: Call) -> int:
    """The frequencies in windows of a signal, of each channel: as logarithms, magnitudes, powers, parts or angles."""
    config = call.config
    length, mode = config.integer("frame_length", 256), config.choice("mode", _MODES, "log")
    step = length // 2 if config.raw("frame_step", None) is None else config.integer("frame_step")
    size = 2 ** ceil(log2(length)) if config.raw("fft_length", None) is None else config.integer("fft_length")
    last = config.choice("data_format", ("channels_last", "channels_first"), "channels_last") == "channels_last"
    apart = config.flag("expand_dims", False)
    require_rank(call, call.x, 2)
    signal = call.emit(Transpose((1, 0)), call.x) if last else call.x
    same = config.choice("padding", ("valid", "same"), "valid") == "same"
    pads = same_pads(call.shape(signal)[-1], length, step) if same else (0, 0)

    def part(name: str) -> int:
        weight = call.weight(f"{name}_kernel", (length, 1, size // 2 + 1))
        shape = (1, *weight.shape)
        kernel = call.derive(f"{name}_image", shape, lambda: weight.read().reshape(shape))
        return _frames(call, signal, kernel, step, pads)

    real = part("real") if mode != "imag" else -1
    imaginary = part("imag") if mode != "real" else -1
    y = _of_mode(call, mode, real, imaginary)
    channels, frames, bins = call.shape(y)
    if apart:
        return call.emit(Transpose((1, 2, 0)), y) if last else y
    if last:
        return call.emit(Reshape((frames, channels * bins)), call.emit(Transpose((1, 0, 2)), y))
    return call.emit(Reshape((channels * bins, frames)), call.emit(Transpose((0, 2, 1)), y))


def _of_mode(call: Call, mode: str, real: int, imaginary: int) -> int:
    if mode in ("real", "imag"):
        return real if mode == "real" else imaginary
    if mode == "stft":
        return call.emit(Concat(-1), real, imaginary)
    if mode == "angle":
        return call.host(np.arctan2, call.shape(real), imaginary, real)
    power = _power(call, real, imaginary)
    if mode == "psd":
        bins = call.shape(power)[-1]
        twice = call.constant("twice", [1.0, *[2.0] * (bins - 2), 1.0], (bins,))
        return call.emit(Binary("mul"), power, twice)
    magnitude = _activate(call, call.emit(Binary("max"), power, call.scalar(_SMALL)), "sqrt")
    if mode == "magnitude":
        return magnitude
    return _activate(call, call.emit(Binary("max"), magnitude, call.scalar(_SMALL)), "log")


@layer("MelSpectrogram")
def mel_spectrogram(call: Call) -> int:
    """The frequencies in windows of a signal on the scale of hearing, in decibels below the loudest of each example."""
    config, x = call.config, call.x
    size, step = config.integer("fft_length", 2048), config.integer("sequence_stride", 512)
    length = size if config.raw("sequence_length", None) is None else config.integer("sequence_length", high=size)
    rate, bins = config.integer("sampling_rate", 16000), config.integer("num_mel_bins", 128)
    low = config.number("min_freq", 20.0)
    high = rate // 2 if config.raw("max_freq", None) is None else config.number("max_freq")
    half, t = size // 2, (call.shape(x) or (0,))[-1]
    if t <= half:
        raise GraphError(f"a signal of {t} is too short for windows of {size}")
    mirrored = np.pad(np.arange(t), half, mode="reflect")
    signal = call.emit(Gather(-1, tuple(int(i) for i in mirrored)), x)
    window = _window(call, length)
    kernel = call.derive("waves", (1, size, 1, 2 * (half + 1)), lambda: _waves(size, window))
    both = _frames(call, signal, kernel, step)
    *lead, frames, _ = call.shape(both)

    def part(first: int) -> int:
        begin = (*(0,) * (len(lead) + 1), first)
        return call.emit(Slice(begin, (*lead, frames, half + 1), (1,) * len(begin)), both)

    magnitude = _activate(call, _power(call, part(0), part(half + 1)), "sqrt")
    y = call.emit(Binary("pow"), magnitude, call.scalar(config.number("mag_exp", 2.0)))
    scale = call.derive("mel", (half + 1, bins), lambda: mel_matrix(half + 1, bins, rate, low, high))
    y = call.emit(Dense(), y, scale)
    if config.flag("power_to_db", True):
        y = _decibels(call, y)
    else:
        for key in ("top_db", "min_power", "ref_power"):
            config.raw(key, None)
    rank = call.rank(y)
    return call.emit(Transpose((*range(rank - 2), rank - 1, rank - 2)), y)


def _decibels(call: Call, power: int) -> int:
    config = call.config
    least, reference = config.number("min_power", 1e-10), abs(config.number("ref_power", 1.0))
    unit: Operand = call.scalar(10 / np.log(10))
    y = _activate(call, call.emit(Binary("max"), power, call.scalar(least)), "log")
    y = call.emit(Binary("mul"), y, unit)
    y = call.emit(Binary("sub"), y, call.scalar(10 * float(np.log10(max(reference, least)))))
    loudest = call.emit(Reduce("max", tuple(range(-call.rank(y), 0)), keepdims=True), y)
    floor = call.emit(Binary("sub"), loudest, call.scalar(config.number("top_db", 80.0)))
    return call.emit(Binary("max"), y, floor)


def _window(call: Call, length: int) -> NDArray[np.float64]:
    given = call.config.raw("window", "hann")
    if isinstance(given, list):
        values = np.array(call.config.numbers("window"))
        if len(values) != length:
            raise GraphError(f"a window of {len(values)} does not fit sequences of {length}")
        return values
    if given is None:
        return np.ones(length)
    share = {"hann": 0.5, "hamming": 0.54}[call.config.choice("window", ("hann", "hamming"), "hann")]
    return share - (1 - share) * np.cos(2 * pi * np.arange(length) / length)


def _waves(size: int, window: NDArray[np.float64]) -> NDArray[Any]:
    """The real and the imaginary parts of the Fourier transform of a windowed sequence, as a kernel."""
    before = (size - len(window)) // 2
    placed = np.pad(window, (before, size - len(window) - before))
    turns = np.outer(np.arange(size), np.arange(size // 2 + 1)) % size * (2 * pi / size)
    waves = np.concatenate([np.cos(turns), -np.sin(turns)], 1) * placed[:, None]
    return waves.reshape(1, size, 1, -1)


def mel_matrix(frequencies: int, bins: int, rate: int, low: float, high: float) -> NDArray[np.float64]:
    """Triangles (frequencies, bins) that are equally wide in mel, 1127 · log(1 + hertz / 700); none has 0 hertz."""
    hertz = np.linspace(0.0, rate / 2, frequencies)[1:, None]
    mel = 1127.0 * np.log1p(hertz / 700.0)
    edges = np.linspace(1127.0 * np.log1p(low / 700.0), 1127.0 * np.log1p(high / 700.0), bins + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((mel - left) / (middle - left), (right - mel) / (right - middle))
    return np.pad(np.maximum(triangles, 0.0), ((1, 0), (0, 0)))
