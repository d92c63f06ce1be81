"""Cases of sequences: tables, masks, recurrent layers and layers around layers."""

from typing import Any

from tests.golden.case import case, gaps, graph_case, rows

SEQUENCE = (5, 4)
SHORT = {"return_sequences": True}

case("embedding_default", (6,), lambda nn: nn.Embedding(9, 4), draw=rows(9))
case("embedding_matrix", (3, 2), lambda nn: nn.Embedding(9, 4), only=3, draw=rows(9))
case("embedding_mask_zero", (6,), lambda nn: nn.Embedding(9, 4, mask_zero=True), lambda nn: nn.LSTM(3), draw=rows(9))
case(
    "embedding_mask_through_layers",
    (6,),
    lambda nn: nn.Embedding(9, 4, mask_zero=True),
    lambda nn: nn.SpatialDropout1D(0.2),
    lambda nn: nn.Dense(4, activation="tanh"),
    lambda nn: nn.Activation("relu"),
    lambda nn: nn.BatchNormalization(),
    lambda nn: nn.GRU(3),
    draw=rows(9),
)
case(
    "embedding_mask_ends_at_reshape",
    (6,),
    lambda nn: nn.Embedding(9, 4, mask_zero=True),
    lambda nn: nn.Reshape((4, 6)),
    lambda nn: nn.SimpleRNN(3),
    only=3,
    draw=rows(9),
)
case("masking_default", SEQUENCE, lambda nn: nn.Masking(), lambda nn: nn.Dense(3), draw=gaps)
case(
    "masking_stack",
    SEQUENCE,
    lambda nn: nn.Masking(0.0),
    lambda nn: nn.LSTM(3, **SHORT),
    lambda nn: nn.GRU(4, **SHORT),
    lambda nn: nn.SimpleRNN(2),
    draw=gaps,
)
case("masking_value", (4, 1), lambda nn: nn.Masking(1.0), lambda nn: nn.LSTM(2), draw=rows(3))
case("masking_backwards", SEQUENCE, lambda nn: nn.Masking(), lambda nn: nn.LSTM(3, go_backwards=True), draw=gaps)

for _kind in ("SimpleRNN", "LSTM", "GRU"):
    _name = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}[_kind]

    def _layer(nn: Any, kind: str = _kind, **options: Any) -> Any:
        return getattr(nn, kind)(3, **options)

    case(f"{_name}_default", SEQUENCE, _layer)
    case(f"{_name}_sequences", SEQUENCE, lambda nn, f=_layer: f(nn, return_sequences=True))
    case(
        f"{_name}_backwards",
        SEQUENCE,
        lambda nn, f=_layer: f(nn, return_sequences=True, go_backwards=True),
        only=3,
    )
    case(f"{_name}_no_bias", SEQUENCE, lambda nn, f=_layer: f(nn, use_bias=False), only=3)
    case(f"{_name}_unroll", SEQUENCE, lambda nn, f=_layer: f(nn, unroll=True, activation="relu"))
    case(f"{_name}_dropout", SEQUENCE, lambda nn, f=_layer: f(nn, dropout=0.3, recurrent_dropout=0.2), only=3)
    case(f"{_name}_masked_sequences", SEQUENCE, lambda nn: nn.Masking(), lambda nn, f=_layer: f(nn, **SHORT), draw=gaps)

    @graph_case(f"{_name}_states")
    def _(keras: Any, layer: Any = _layer) -> Any:
        x = keras.Input(SEQUENCE)
        y = layer(keras.layers, return_sequences=True, return_state=True)(x)
        again = layer(keras.layers)(x, initial_state=list(y[1:]))
        return keras.Model(x, [*y, again])

    @graph_case(f"{_name}_masked_from_states", draw=gaps)
    def _(keras: Any, layer: Any = _layer) -> Any:
        x = keras.Input(SEQUENCE)
        first, *states = layer(keras.layers, return_state=True)(x)
        masked = keras.layers.Masking()(x)
        y = layer(keras.layers, return_sequences=True, return_state=True)(masked, initial_state=states)
        return keras.Model(x, [first, *y])


case("lstm_hard_sigmoid", SEQUENCE, lambda nn: nn.LSTM(3, recurrent_activation="hard_sigmoid"))
case("lstm_activation_object", SEQUENCE, lambda nn: nn.LSTM(3, activation=nn.LeakyReLU()), only=2)
case("lstm_many_units", (4, 20), lambda nn: nn.LSTM(40, return_sequences=True))
case("gru_hard_sigmoid", SEQUENCE, lambda nn: nn.GRU(3, recurrent_activation="hard_sigmoid", reset_after=False))
case("gru_reset_before", SEQUENCE, lambda nn: nn.GRU(3, reset_after=False, return_sequences=True))
case("gru_reset_before_no_bias", SEQUENCE, lambda nn: nn.GRU(3, reset_after=False, use_bias=False), only=3)
case("gru_implementation", SEQUENCE, lambda nn: nn.GRU(3, implementation=1), only=2)


@graph_case("lstm_stateful")
def _(keras: Any) -> Any:
    return keras.Sequential(
        [keras.layers.InputLayer(SEQUENCE, batch_size=3), keras.layers.LSTM(3, stateful=True), keras.layers.Dense(2)]
    )


case("rnn_cell", SEQUENCE, lambda nn: nn.RNN(nn.GRUCell(3), return_sequences=True))
case("rnn_cells", SEQUENCE, lambda nn: nn.RNN([nn.LSTMCell(3), nn.GRUCell(4), nn.SimpleRNNCell(2)]))
case(
    "rnn_cells_backwards",
    SEQUENCE,
    lambda nn: nn.Masking(),
    lambda nn: nn.RNN(nn.StackedRNNCells([nn.LSTMCell(3), nn.LSTMCell(4)]), go_backwards=True, return_sequences=True),
    draw=gaps,
)

for _mode in ("concat", "sum", "mul", "ave"):
    case(
        f"bidirectional_{_mode}",
        SEQUENCE,
        lambda nn, m=_mode: nn.Bidirectional(nn.LSTM(3, return_sequences=True), merge_mode=m),
    )
case("bidirectional_last", SEQUENCE, lambda nn: nn.Bidirectional(nn.GRU(3)))
case(
    "bidirectional_backward_layer",
    SEQUENCE,
    lambda nn: nn.Bidirectional(nn.LSTM(3), backward_layer=nn.GRU(2, go_backwards=True, activation="relu")),
)
case(
    "bidirectional_masked",
    SEQUENCE,
    lambda nn: nn.Masking(),
    lambda nn: nn.Bidirectional(nn.LSTM(3, return_sequences=True)),
    lambda nn: nn.Bidirectional(nn.LSTM(2)),
    draw=gaps,
)
case("bidirectional_rnn", SEQUENCE, lambda nn: nn.Bidirectional(nn.RNN(nn.LSTMCell(3), return_sequences=True)))


@graph_case("bidirectional_states")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input(SEQUENCE)
    y = nn.Bidirectional(nn.LSTM(3, return_sequences=True, return_state=True))(x)
    again = nn.Bidirectional(nn.LSTM(3))(y[0], initial_state=list(y[1:]))
    return keras.Model(x, [*y, again])


@graph_case("bidirectional_apart")
def _(keras: Any) -> Any:
    x = keras.Input(SEQUENCE)
    y = keras.layers.Bidirectional(keras.layers.SimpleRNN(3, return_sequences=True), merge_mode=None)(x)
    return keras.Model(x, list(y))


@graph_case("bidirectional_frozen")
def _(keras: Any) -> Any:
    inner = keras.layers.Bidirectional(keras.layers.LSTM(3), trainable=False)
    return keras.Sequential([keras.layers.InputLayer(SEQUENCE), inner, keras.layers.Dense(2)])


case("time_distributed_dense", SEQUENCE, lambda nn: nn.TimeDistributed(nn.Dense(3, activation="softmax")))
case(
    "time_distributed_image_layers",
    (3, 6, 5, 2),
    lambda nn: nn.TimeDistributed(nn.Conv2D(4, 3, padding="same", activation="relu")),
    lambda nn: nn.TimeDistributed(nn.BatchNormalization(axis=1)),
    lambda nn: nn.TimeDistributed(nn.MaxPooling2D(2)),
    lambda nn: nn.TimeDistributed(nn.Dropout(0.2)),
    lambda nn: nn.TimeDistributed(nn.Flatten()),
    lambda nn: nn.LSTM(3),
)
case("time_distributed_lstm", (2, 5, 4), lambda nn: nn.TimeDistributed(nn.LSTM(3, return_sequences=True)))
case(
    "time_distributed_words",
    (3, 4),
    lambda nn: nn.TimeDistributed(nn.Embedding(9, 4)),
    lambda nn: nn.TimeDistributed(nn.Bidirectional(nn.GRU(2))),
    lambda nn: nn.GRU(3),
    draw=rows(9),
)
case("time_distributed_twice", (2, 3, 4), lambda nn: nn.TimeDistributed(nn.TimeDistributed(nn.Dense(3))))
case(
    "time_distributed_masked",
    SEQUENCE,
    lambda nn: nn.Masking(),
    lambda nn: nn.TimeDistributed(nn.Dense(3)),
    lambda nn: nn.LSTM(2),
    draw=gaps,
)


@graph_case("time_distributed_model")
def _(keras: Any) -> Any:
    nn = keras.layers
    z = keras.Input((4, 4, 2))
    a, b = nn.Conv2D(3, 2)(z), nn.Conv2D(3, 2)(z)
    scale = nn.Reshape((1, 1, 3))(nn.GlobalAveragePooling2D()(b))
    body = keras.Model(z, nn.GlobalMaxPooling2D()(nn.BatchNormalization()(nn.Multiply()([a, scale]))), name="body")
    x = keras.Input((3, 4, 4, 2))
    return keras.Model(x, nn.Dense(2)(nn.LSTM(3)(nn.TimeDistributed(body)(x))))


@graph_case("mask_merging", draw=gaps)
def _(keras: Any) -> Any:
    nn = keras.layers
    x, y = keras.Input(SEQUENCE), keras.Input(SEQUENCE)
    a, b = nn.Masking()(x), nn.Masking()(y)
    joined = [nn.Add()([a, b]), nn.Concatenate()([a, b]), nn.Concatenate(axis=1)([a, b])]
    joined += [nn.Multiply()([a, b]), nn.Multiply()([a, y]), nn.Maximum()([a, b]), nn.Minimum()([x, b])]
    return keras.Model([x, y], [nn.SimpleRNN(2)(value) for value in joined])


for _rank, _shape in ((1, (3, 6, 2)), (2, (3, 5, 4, 2)), (3, (2, 4, 3, 4, 2))):

    def _conv_lstm(nn: Any, rank: int = _rank, **options: Any) -> Any:
        return getattr(nn, f"ConvLSTM{rank}D")(3, 2, **options)

    case(f"conv_lstm{_rank}d_default", _shape, _conv_lstm)
    case(
        f"conv_lstm{_rank}d_sequences",
        _shape,
        lambda nn, f=_conv_lstm: f(nn, return_sequences=True, padding="same", strides=2, go_backwards=True),
    )
case(
    "conv_lstm2d_channels_first",
    (3, 2, 5, 4),
    lambda nn: nn.ConvLSTM2D(3, 3, return_sequences=True, data_format="channels_first", use_bias=False),
    only=3,
)
case("conv_lstm2d_dilation", (3, 6, 5, 2), lambda nn: nn.ConvLSTM2D(3, (2, 3), dilation_rate=2, activation="relu"))
case("conv_lstm2d_hard_sigmoid", (3, 5, 4, 2), lambda nn: nn.ConvLSTM2D(3, 2, recurrent_activation="hard_sigmoid"))
case(
    "conv_lstm2d_bidirectional",
    (3, 5, 4, 2),
    lambda nn: nn.Bidirectional(nn.ConvLSTM2D(3, 2, return_sequences=True), merge_mode="sum"),
)


@graph_case("conv_lstm2d_states")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((3, 5, 4, 2))
    y = nn.ConvLSTM2D(3, 3, padding="same", return_state=True)(x)
    again = nn.ConvLSTM2D(3, 3, padding="same", return_sequences=True)(x, initial_state=list(y[1:]))
    return keras.Model(x, [*y, again])


@graph_case("mask_merging_wide", only=3, draw=gaps)
def _(keras: Any) -> Any:
    nn = keras.layers
    x, y = keras.Input(SEQUENCE), keras.Input((5, 2))
    return keras.Model([x, y], nn.SimpleRNN(2)(nn.Concatenate()([nn.Masking()(x), y])))


@graph_case("mask_in_functional", draw=rows(9))
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((6,))
    y = nn.Bidirectional(nn.LSTM(3, return_sequences=True))(nn.Embedding(9, 4, mask_zero=True)(x))
    y = nn.LayerNormalization()(nn.TimeDistributed(nn.Dense(4))(nn.Dropout(0.2)(y)))
    return keras.Model(x, [nn.GRU(3)(y), nn.GlobalAveragePooling1D()(y)])
