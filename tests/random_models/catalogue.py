"""Which layers random models are made of: for each kind of value, functions that draw a layer. Imports no Keras."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

Draw = Callable[[Any, np.random.Generator], Any]

ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "selu", "softplus", "softsign", "swish", "gelu", "hard_sigmoid", None)


def pick(rng: np.random.Generator, *items: Any) -> Any:
    """One of a few."""
    return items[int(rng.integers(len(items)))]


def _window(rng: np.random.Generator, rank: int) -> dict[str, Any]:
    strides = pick(rng, 1, 1, 2)
    found = {
        "kernel_size": tuple(int(k) for k in rng.integers(1, 4, rank)),
        "padding": pick(rng, "same", "valid"),
        "activation": pick(rng, *ACTIVATIONS),
        "use_bias": bool(rng.random() < 0.7),
    }
    return found | ({"strides": strides} if strides > 1 else {"dilation_rate": pick(rng, 1, 1, 2)})


def _conv(rank: int) -> Draw:
    def draw(nn: Any, rng: np.random.Generator) -> Any:
        return getattr(nn, f"Conv{rank}D")(int(rng.integers(1, 7)), **_window(rng, rank))

    return draw


def _conv_transpose(rank: int) -> Draw:
    def draw(nn: Any, rng: np.random.Generator) -> Any:
        options = _window(rng, rank)
        options.pop("dilation_rate", None)
        return getattr(nn, f"Conv{rank}DTranspose")(int(rng.integers(1, 5)), **options)

    return draw


def _causal(nn: Any, rng: np.random.Generator) -> Any:
    return nn.Conv1D(int(rng.integers(1, 6)), int(rng.integers(1, 4)), padding="causal", dilation_rate=pick(rng, 1, 2))


def _depthwise(name: str, rank: int, **more: int) -> Draw:
    def draw(nn: Any, rng: np.random.Generator) -> Any:
        options = _window(rng, rank)
        if rank == 2 and options.get("strides") is None:
            options["kernel_size"] = (options["kernel_size"][0],) * 2
        return getattr(nn, f"{name}{rank}D")(**more, depth_multiplier=pick(rng, 1, 2), **options)

    return draw


def _pool(name: str, rank: int) -> Draw:
    def draw(nn: Any, rng: np.random.Generator) -> Any:
        size = int(rng.integers(1, 4))
        strides = pick(rng, None, 1, 2)
        return getattr(nn, f"{name}{rank}D")(size, strides=strides, padding=pick(rng, "same", "valid"))

    return draw


def _global(name: str, rank: int) -> Draw:
    return lambda nn, rng: getattr(nn, f"Global{name}Pooling{rank}D")(keepdims=bool(rng.random() < 0.3))


def _borders(name: str, rank: int) -> Draw:
    def draw(nn: Any, rng: np.random.Generator) -> Any:
        pairs = [(int(a), int(b)) for a, b in rng.integers(0, 3, (rank, 2))]
        return getattr(nn, f"{name}{rank}D")(pairs[0] if rank == 1 else pairs)

    return draw


def _up(rank: int) -> Draw:
    def draw(nn: Any, rng: np.random.Generator) -> Any:
        if rank == 2:
            return nn.UpSampling2D(pick(rng, 2, (1, 3)), interpolation=pick(rng, "nearest", "bilinear"))
        return getattr(nn, f"UpSampling{rank}D")(2)

    return draw


def _cell(nn: Any, rng: np.random.Generator, **more: Any) -> Any:
    name = pick(rng, "LSTM", "GRU", "SimpleRNN")
    options = {"activation": pick(rng, "tanh", "relu", "tanh")} | more
    if name == "GRU":
        options["reset_after"] = bool(rng.random() < 0.5)
    if name != "SimpleRNN":
        options["recurrent_activation"] = pick(rng, "sigmoid", "sigmoid", "hard_sigmoid")
    return getattr(nn, name)(int(rng.integers(1, 7)), use_bias=bool(rng.random() < 0.8), **options)


def _recurrent(nn: Any, rng: np.random.Generator) -> Any:
    sequences, back = bool(rng.random() < 0.6), bool(rng.random() < 0.25)
    return _cell(nn, rng, return_sequences=sequences, go_backwards=back, unroll=bool(rng.random() < 0.2))


def _bidirectional(nn: Any, rng: np.random.Generator) -> Any:
    merge = pick(rng, "concat", "sum", "mul", "ave")
    return nn.Bidirectional(_cell(nn, rng, return_sequences=bool(rng.random() < 0.6)), merge_mode=merge)


def _cells(nn: Any, rng: np.random.Generator) -> Any:
    cells = [pick(rng, nn.LSTMCell, nn.GRUCell, nn.SimpleRNNCell)(int(n)) for n in rng.integers(1, 5, 2)]
    return nn.RNN(cells, return_sequences=bool(rng.random() < 0.5))


def _each_step(nn: Any, rng: np.random.Generator) -> Any:
    return nn.TimeDistributed(pick(rng, nn.BatchNormalization, nn.LayerNormalization, partial(nn.Dense, 3))())


def _each_image(nn: Any, rng: np.random.Generator) -> Any:
    """A layer for sequences on each row of an image."""
    inner = pick(rng, partial(nn.Conv1D, 3, 2), partial(nn.LSTM, 3), nn.Flatten, nn.GlobalMaxPooling1D)
    return nn.TimeDistributed(inner())


def _conv_lstm(nn: Any, rng: np.random.Generator) -> Any:
    return nn.ConvLSTM2D(2, 2, padding=pick(rng, "same", "valid"), return_sequences=bool(rng.random() < 0.5))


def _norm(nn: Any, rng: np.random.Generator) -> Any:
    kind = pick(rng, "batch", "batch", "layer", "group", "unit")
    if kind == "batch":
        return nn.BatchNormalization(center=bool(rng.random() < 0.8), scale=bool(rng.random() < 0.8))
    if kind == "layer":
        return nn.LayerNormalization(epsilon=1e-3)
    return nn.GroupNormalization(groups=pick(rng, -1, 1)) if kind == "group" else nn.UnitNormalization()


def _elementwise(nn: Any, rng: np.random.Generator) -> Any:
    return pick(
        rng,
        lambda: nn.Activation(pick(rng, *ACTIVATIONS[:-1])),
        lambda: nn.LeakyReLU(0.2),
        nn.PReLU,
        lambda: nn.ELU(0.7),
        lambda: nn.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2),
        nn.Softmax,
        lambda: nn.Dropout(0.3),
        lambda: nn.GaussianNoise(0.3),
        lambda: nn.Rescaling(0.7, offset=-0.1),
        lambda: nn.ActivityRegularization(0.1),
    )()


def _dense(nn: Any, rng: np.random.Generator) -> Any:
    return nn.Dense(int(rng.integers(1, 9)), activation=pick(rng, *ACTIVATIONS), use_bias=bool(rng.random() < 0.8))


def _flat(nn: Any, rng: np.random.Generator) -> Any:
    return nn.Flatten()


def _stated(nn: Any, rng: np.random.Generator) -> Any:
    """A recurrent layer and its states: the state is what goes on."""
    layer = _cell(nn, rng, return_state=True, return_sequences=bool(rng.random() < 0.5))
    return lambda x: layer(x)[-1]


def _masking(nn: Any, rng: np.random.Generator) -> Any:
    return nn.Masking()


def _tagged(nn: Any, rng: np.random.Generator) -> Any:
    """A layer with its channels in front, of those that a CPU computes so."""
    first = {"data_format": "channels_first"}
    return pick(
        rng,
        partial(nn.ZeroPadding2D, 1, **first),
        partial(nn.Cropping2D, ((1, 0), (0, 1)), **first),
        partial(nn.UpSampling2D, 2, **first),
        partial(nn.Flatten, **first),
        partial(nn.GlobalAveragePooling2D, **first),
        partial(nn.GlobalMaxPooling2D, **first),
        partial(nn.BatchNormalization, axis=1),
        partial(nn.LayerNormalization, axis=pick(rng, 1, (1, 2))),
        partial(nn.Softmax, axis=1),
        partial(nn.PReLU, shared_axes=[1, 2]),
    )()


def _step(nn: Any, rng: np.random.Generator) -> Any:
    return pick(
        rng,
        partial(nn.BatchNormalization, axis=1),
        partial(nn.GlobalAveragePooling1D, data_format="channels_first"),
        partial(nn.Softmax, axis=1),
        partial(nn.SpatialDropout1D, 0.2),
        partial(nn.EinsumDense, "abc,cd->abd", (None, 3), bias_axes="d"),
        partial(nn.EinsumDense, "...b,bc->...c", 4),
        partial(nn.Normalization, mean=0.3, variance=1.7),
    )()


def _repeat(nn: Any, rng: np.random.Generator) -> Any:
    return nn.RepeatVector(int(rng.integers(2, 5)))


ANY: tuple[Draw, ...] = (_dense, _norm, _elementwise, _elementwise)
SINGLE: dict[int, tuple[Draw, ...]] = {
    1: (*ANY, _repeat, lambda nn, rng: nn.Reshape((-1, 1))),
    2: (
        *ANY, _conv(1), _conv_transpose(1), _causal, _depthwise("SeparableConv", 1, filters=3),
        _depthwise("DepthwiseConv", 1), _pool("MaxPooling", 1), _pool("AveragePooling", 1), _global("Max", 1),
        _global("Average", 1), _borders("ZeroPadding", 1), _borders("Cropping", 1), _up(1), _recurrent, _recurrent,
        _bidirectional, _cells, _each_step, _flat, _masking, _step, _stated, lambda nn, rng: nn.Permute((2, 1)),
        lambda nn, rng: nn.Reshape((-1, 1, 1)),
    ),
    3: (
        *ANY, _conv(2), _conv(2), _conv_transpose(2), _depthwise("SeparableConv", 2, filters=3),
        _depthwise("DepthwiseConv", 2), _pool("MaxPooling", 2), _pool("AveragePooling", 2), _global("Max", 2),
        _global("Average", 2), _borders("ZeroPadding", 2), _borders("Cropping", 2), _up(2), _each_image, _flat, _tagged,
        lambda nn, rng: nn.Permute((3, 1, 2)), lambda nn, rng: nn.Resizing(5, 4),
        lambda nn, rng: nn.Reshape((-1, 2)),
    ),
    4: (
        _norm, _elementwise, _conv(3), _conv_transpose(3), _pool("MaxPooling", 3), _pool("AveragePooling", 3),
        _global("Average", 3), _borders("ZeroPadding", 3), _borders("Cropping", 3), _up(3), _conv_lstm, _flat,
        lambda nn, rng: nn.TimeDistributed(nn.Conv2D(2, 2)),
    ),
}  # fmt: skip
"""By the number of axes beside the batch."""

MERGES: tuple[Draw, ...] = (
    lambda nn, rng: nn.Add(),
    lambda nn, rng: nn.Subtract(),
    lambda nn, rng: nn.Multiply(),
    lambda nn, rng: nn.Average(),
    lambda nn, rng: nn.Maximum(),
    lambda nn, rng: nn.Minimum(),
    lambda nn, rng: nn.Concatenate(axis=pick(rng, -1, 1)),
)
"""Layers of two values of one shape."""

ATTENTION: tuple[Draw, ...] = (
    lambda nn, rng: nn.Attention(use_scale=bool(rng.random() < 0.5)),
    lambda nn, rng: nn.AdditiveAttention(),
    lambda nn, rng: nn.MultiHeadAttention(
        int(rng.integers(1, 4)), int(rng.integers(1, 5)), use_bias=bool(rng.random() < 0.7)
    ),
    lambda nn, rng: nn.Dot(axes=pick(rng, 2, -1)),
)
"""Layers of two sequences of one width."""
