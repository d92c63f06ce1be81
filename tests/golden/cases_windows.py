"""Cases of convolutions and pools in one, two and three dimensions."""

from tests.golden.case import case

FIRST = {"data_format": "channels_first"}

case("conv1d_valid", (9, 3), lambda nn: nn.Conv1D(4, 3))
case("conv1d_same_strides", (10, 3), lambda nn: nn.Conv1D(4, 3, strides=2, padding="same", activation="relu"))
case("conv1d_causal", (9, 3), lambda nn: nn.Conv1D(4, 3, padding="causal", activation="tanh"))
case("conv1d_causal_dilation", (12, 3), lambda nn: nn.Conv1D(4, 2, padding="causal", dilation_rate=3, use_bias=False))
case("conv1d_causal_strides", (12, 3), lambda nn: nn.Conv1D(4, 3, padding="causal", strides=2), only=3)
case("conv1d_dilation", (12, 3), lambda nn: nn.Conv1D(4, 3, padding="same", dilation_rate=2), only=3)
case("conv1d_groups", (9, 4), lambda nn: nn.Conv1D(6, 3, groups=2))
case("conv1d_channels_first", (3, 9), lambda nn: nn.Conv1D(4, 3, padding="same", **FIRST))
case("conv3d_valid", (4, 5, 6, 2), lambda nn: nn.Conv3D(3, 3))
case("conv3d_same", (4, 5, 6, 2), lambda nn: nn.Conv3D(3, (2, 3, 3), padding="same", activation="relu"))
case("conv3d_strides", (5, 6, 7, 2), lambda nn: nn.Conv3D(3, (3, 2, 2), strides=(2, 1, 3)), only=3)
case("conv3d_same_strides", (5, 6, 7, 2), lambda nn: nn.Conv3D(3, 3, strides=2, padding="same"), only=3)
case("conv3d_dilation", (6, 6, 7, 2), lambda nn: nn.Conv3D(3, 2, dilation_rate=(2, 1, 2), padding="same"), only=3)
case("conv3d_groups", (4, 5, 5, 4), lambda nn: nn.Conv3D(6, 2, groups=2), only=3)
case("conv3d_channels_first", (2, 4, 5, 6), lambda nn: nn.Conv3D(3, 2, use_bias=False, **FIRST), only=3)

case("conv1d_transpose_valid", (5, 3), lambda nn: nn.Conv1DTranspose(4, 3, strides=2))
case("conv1d_transpose_same", (5, 3), lambda nn: nn.Conv1DTranspose(4, 4, strides=2, padding="same", activation="relu"))
case("conv1d_transpose_output_padding", (5, 3), lambda nn: nn.Conv1DTranspose(4, 3, strides=2, output_padding=1))
case("conv2d_transpose_valid", (4, 5, 3), lambda nn: nn.Conv2DTranspose(4, 3))
case("conv2d_transpose_same", (4, 5, 3), lambda nn: nn.Conv2DTranspose(4, 3, padding="same"), only=3)
case(
    "conv2d_transpose_doubling",
    (4, 5, 3),
    lambda nn: nn.Conv2DTranspose(4, 4, strides=2, padding="same", use_bias=False),
    lambda nn: nn.BatchNormalization(),
    lambda nn: nn.LeakyReLU(),
)
case("conv2d_transpose_odd_kernel", (4, 5, 3), lambda nn: nn.Conv2DTranspose(4, 3, strides=2, padding="same"))
case("conv2d_transpose_valid_strides", (4, 5, 3), lambda nn: nn.Conv2DTranspose(4, (3, 5), strides=(2, 3)), only=3)
case("conv2d_transpose_stride_beyond_kernel", (4, 5, 3), lambda nn: nn.Conv2DTranspose(4, 2, strides=3))
case(
    "conv2d_transpose_output_padding",
    (4, 5, 3),
    lambda nn: nn.Conv2DTranspose(4, 3, strides=2, output_padding=1, padding="same", activation="softmax"),
)
case(
    "conv2d_transpose_output_padding_none", (4, 5, 3), lambda nn: nn.Conv2DTranspose(4, 3, strides=2, output_padding=0)
)
case("conv2d_transpose_dilation", (5, 6, 3), lambda nn: nn.Conv2DTranspose(4, 3, dilation_rate=2), only=3)
case("conv2d_transpose_dilation_same", (5, 6, 3), lambda nn: nn.Conv2DTranspose(4, 3, dilation_rate=2, padding="same"))
case(
    "conv2d_transpose_channels_first",
    (3, 4, 5),
    lambda nn: nn.Conv2DTranspose(2, 3, strides=2, use_bias=False, **FIRST),
)
case("conv3d_transpose_valid", (3, 4, 4, 2), lambda nn: nn.Conv3DTranspose(3, 2, strides=2))
case("conv3d_transpose_same", (3, 4, 4, 2), lambda nn: nn.Conv3DTranspose(3, 3, strides=(2, 1, 2), padding="same"))
case("conv3d_transpose_output_padding", (3, 3, 4, 2), lambda nn: nn.Conv3DTranspose(3, 3, strides=2, output_padding=1))

case("depthwise_conv1d_valid", (9, 3), lambda nn: nn.DepthwiseConv1D(3))
case(
    "depthwise_conv1d_multiplier",
    (9, 3),
    lambda nn: nn.DepthwiseConv1D(3, depth_multiplier=2, padding="same", strides=2),
)
case("separable_conv1d_valid", (9, 3), lambda nn: nn.SeparableConv1D(4, 3, depth_multiplier=2))
case(
    "separable_conv1d_causal",
    (9, 3),
    lambda nn: nn.SeparableConv1D(4, 3, padding="causal", activation="relu"),
    only=2,
)
case("separable_conv1d_same_strides", (9, 3), lambda nn: nn.SeparableConv1D(4, 3, strides=2, padding="same"), only=3)
case("locally_connected1d_valid", (9, 3), lambda nn: nn.LocallyConnected1D(4, 3, strides=2, activation="relu"), only=2)
case("locally_connected1d_channels_first", (3, 9), lambda nn: nn.LocallyConnected1D(4, 3, **FIRST), only=2)
case("locally_connected2d_valid", (6, 7, 3), lambda nn: nn.LocallyConnected2D(4, (3, 2)), only=2)
case(
    "locally_connected2d_strides",
    (6, 7, 3),
    lambda nn: nn.LocallyConnected2D(4, 2, strides=(2, 3), use_bias=False, activation="tanh"),
    only=2,
)
case("locally_connected2d_channels_first", (3, 6, 7), lambda nn: nn.LocallyConnected2D(4, 3, **FIRST), only=2)
case("locally_connected2d_full", (4, 5, 2), lambda nn: nn.LocallyConnected2D(3, 2, implementation=2), only=2)
case("locally_connected2d_sparse", (4, 5, 2), lambda nn: nn.LocallyConnected2D(3, 2, implementation=3), only=2)
case(
    "locally_connected2d_sparse_same",
    (4, 5, 2),
    lambda nn: nn.LocallyConnected2D(3, 3, padding="same", implementation=3),
    only=2,
)
case(
    "locally_connected1d_full_same",
    (6, 2),
    lambda nn: nn.LocallyConnected1D(3, 3, padding="same", implementation=2),
    only=2,
)

for _kind in ("Max", "Average"):
    _low = _kind.lower()
    _pool = f"{_kind}Pooling"
    case(f"{_low}_pooling1d_default", (9, 3), lambda nn, c=_pool: getattr(nn, f"{c}1D")(2))
    case(f"{_low}_pooling1d_same", (9, 3), lambda nn, c=_pool: getattr(nn, f"{c}1D")(3, strides=2, padding="same"))
    case(
        f"{_low}_pooling1d_channels_first",
        (3, 9),
        lambda nn, c=_pool: getattr(nn, f"{c}1D")(2, strides=1, **FIRST),
        only=3,
    )
    case(f"{_low}_pooling3d_default", (4, 5, 6, 2), lambda nn, c=_pool: getattr(nn, f"{c}3D")(2))
    case(
        f"{_low}_pooling3d_same",
        (4, 5, 6, 2),
        lambda nn, c=_pool: getattr(nn, f"{c}3D")((2, 3, 2), strides=(1, 2, 2), padding="same"),
    )
    case(
        f"{_low}_pooling3d_channels_first", (2, 4, 5, 6), lambda nn, c=_pool: getattr(nn, f"{c}3D")(2, **FIRST), only=3
    )
    for _rank, _shape in ((1, (7, 3)), (3, (3, 4, 5, 2))):
        _name, _class = f"global_{_low}_pooling{_rank}d", f"Global{_kind}Pooling{_rank}D"
        case(f"{_name}_default", _shape, lambda nn, c=_class: getattr(nn, c)())
        case(f"{_name}_keepdims", _shape, lambda nn, c=_class: getattr(nn, c)(keepdims=True), only=3)
        case(f"{_name}_channels_first", _shape, lambda nn, c=_class: getattr(nn, c)(keepdims=True, **FIRST), only=3)
    for _rank, _shape, _size in ((1, (7, 3), 3), (2, (7, 6, 3), (3, 4)), (3, (5, 4, 6, 2), (3, 2, 5))):
        _class = f"Adaptive{_kind}Pooling{_rank}D"
        case(f"adaptive_{_low}_pooling{_rank}d", _shape, lambda nn, c=_class, s=_size: getattr(nn, c)(s), only=3)
case("adaptive_average_pooling2d_larger", (3, 4, 2), lambda nn: nn.AdaptiveAveragePooling2D(5), only=3)
case("adaptive_max_pooling2d_channels_first", (3, 7, 6), lambda nn: nn.AdaptiveMaxPooling2D(2, **FIRST), only=3)
