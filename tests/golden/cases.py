"""Small Keras models, one or more for each layer and option. Imports no Keras: it is handed in.

A case is named `<layer>_<option>`. Each builds a model from `keras` (the module `keras` or `tf_keras`) and says for
which generations of Keras it is made. Inputs, weights and batch-norm statistics are drawn by `make.py`.
"""

from typing import Any

from tests.golden import (  # noqa: F401  # each enters its cases
    cases_attention,
    cases_functions,
    cases_images,
    cases_models,
    cases_operations,
    cases_seed_pools,
    cases_sequence,
    cases_sound,
    cases_windows,
)
from tests.golden.case import CASES, Case, case, graph_case, sequential

__all__ = ["CASES", "Case"]

FIRST = {"data_format": "channels_first"}
# Keras 3 adds a channels_first bias along the width where the width equals the number of filters: avoid that.

case("conv2d_valid", (7, 6, 3), lambda nn: nn.Conv2D(4, 3), only=3)
case("conv2d_same", (7, 6, 3), lambda nn: nn.Conv2D(4, 3, padding="same", activation="relu"))
case("conv2d_same_even_kernel", (7, 6, 3), lambda nn: nn.Conv2D(4, (2, 4), padding="same"), only=3)
case("conv2d_same_strides", (7, 6, 3), lambda nn: nn.Conv2D(4, 3, strides=2, padding="same"), only=3)
case("conv2d_strides", (9, 8, 3), lambda nn: nn.Conv2D(4, (3, 2), strides=(2, 3), use_bias=False), only=3)
case("conv2d_dilation", (9, 8, 3), lambda nn: nn.Conv2D(4, 3, dilation_rate=2, padding="same"))
case("conv2d_dilation_rectangular", (9, 10, 2), lambda nn: nn.Conv2D(3, (3, 2), dilation_rate=(2, 3)), only=3)
case("conv2d_groups", (6, 6, 4), lambda nn: nn.Conv2D(6, 3, groups=2))
case("conv2d_pointwise", (5, 4, 6), lambda nn: nn.Conv2D(3, 1, activation="sigmoid"), only=3)
case("conv2d_stride_beyond_kernel", (8, 7, 2), lambda nn: nn.Conv2D(3, 1, strides=3), only=3)
case("conv2d_channels_first", (3, 7, 6), lambda nn: nn.Conv2D(5, 3, padding="same", activation="tanh", **FIRST))
case("conv2d_channels_first_softmax", (3, 7, 6), lambda nn: nn.Conv2D(5, 3, activation="softmax", **FIRST), only=3)

case("depthwise_conv2d_valid", (7, 6, 3), lambda nn: nn.DepthwiseConv2D(3), only=3)
case("depthwise_conv2d_same_strides", (7, 6, 3), lambda nn: nn.DepthwiseConv2D(3, strides=2, padding="same"), only=3)
case("depthwise_conv2d_multiplier", (7, 6, 3), lambda nn: nn.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"))
case("depthwise_conv2d_dilation", (9, 8, 2), lambda nn: nn.DepthwiseConv2D((3, 2), dilation_rate=2, use_bias=False))
case("depthwise_conv2d_channels_first", (3, 7, 6), lambda nn: nn.DepthwiseConv2D(3, **FIRST))
case("separable_conv2d_valid", (7, 6, 3), lambda nn: nn.SeparableConv2D(4, 3))
case(
    "separable_conv2d_multiplier",
    (7, 6, 3),
    lambda nn: nn.SeparableConv2D(4, 3, depth_multiplier=2, use_bias=False),
    only=3,
)
case("separable_conv2d_same_strides", (7, 6, 3), lambda nn: nn.SeparableConv2D(4, 3, strides=2, padding="same"), only=3)
case("separable_conv2d_dilation", (9, 8, 2), lambda nn: nn.SeparableConv2D(3, 3, dilation_rate=2), only=3)
case("separable_conv2d_channels_first", (3, 7, 6), lambda nn: nn.SeparableConv2D(5, 3, **FIRST), only=3)

case("max_pooling2d_default", (6, 7, 3), lambda nn: nn.MaxPooling2D(), only=3)
case("max_pooling2d_overlapping", (7, 6, 3), lambda nn: nn.MaxPooling2D(3, strides=1), only=3)
case("max_pooling2d_same", (7, 6, 3), lambda nn: nn.MaxPooling2D((3, 2), strides=2, padding="same"))
case("max_pooling2d_channels_first", (3, 6, 7), lambda nn: nn.MaxPooling2D(2, **FIRST))
case("average_pooling2d_default", (6, 7, 3), lambda nn: nn.AveragePooling2D(2), only=3)
case("average_pooling2d_same", (7, 6, 3), lambda nn: nn.AveragePooling2D((3, 2), strides=(2, 1), padding="same"))
case("average_pooling2d_channels_first", (3, 6, 7), lambda nn: nn.AveragePooling2D(2, **FIRST), only=3)
for _kind in ("Max", "Average"):
    _name = f"global_{_kind.lower()}_pooling2d"
    _layer = f"Global{_kind}Pooling2D"
    case(f"{_name}_default", (5, 4, 3), lambda nn, c=_layer: getattr(nn, c)())
    case(f"{_name}_keepdims", (5, 4, 3), lambda nn, c=_layer: getattr(nn, c)(keepdims=True), only=3)
    case(f"{_name}_channels_first", (3, 5, 4), lambda nn, c=_layer: getattr(nn, c)(**FIRST), only=3)
case(
    "global_average_pooling2d_channels_first_keepdims",
    (3, 5, 4),
    lambda nn: nn.GlobalAveragePooling2D(keepdims=True, **FIRST),
)

case("zero_padding2d_one", (4, 3, 2), lambda nn: nn.ZeroPadding2D(2), only=3)
case("zero_padding2d_each_axis", (4, 3, 2), lambda nn: nn.ZeroPadding2D((1, 2)), only=3)
case("zero_padding2d_each_side", (4, 3, 2), lambda nn: nn.ZeroPadding2D(((0, 1), (2, 3))))
case("zero_padding2d_channels_first", (2, 4, 3), lambda nn: nn.ZeroPadding2D(((0, 1), (2, 3)), **FIRST), only=3)

case("batch_normalization_default", (4, 3, 5), lambda nn: nn.BatchNormalization())
case("batch_normalization_no_scale", (6,), lambda nn: nn.BatchNormalization(scale=False, epsilon=1e-2), only=3)
case("batch_normalization_no_center", (6,), lambda nn: nn.BatchNormalization(center=False), only=3)
case("batch_normalization_bare", (6,), lambda nn: nn.BatchNormalization(center=False, scale=False), only=3)
case("batch_normalization_channels_first", (5, 4, 3), lambda nn: nn.BatchNormalization(axis=1))
case("batch_normalization_middle_axis", (4, 5, 3), lambda nn: nn.BatchNormalization(axis=2), only=3)
case("batch_normalization_two_axes", (4, 5, 3), lambda nn: nn.BatchNormalization(axis=[1, 3]), only=2)
case("rescaling_scalar", (4, 3, 3), lambda nn: nn.Rescaling(1 / 127.5, offset=-1.0))
case("rescaling_list", (4, 3, 3), lambda nn: nn.Rescaling([0.5, 2.0, -1.0], offset=[0.1, 0.2, 0.3]), only=3)
case("normalization_given", (4, 3), lambda nn: nn.Normalization(mean=[1.0, 2.0, 3.0], variance=[0.5, 4.0, 1e-20]))
case("normalization_scalar", (4, 3), lambda nn: nn.Normalization(axis=None, mean=1.5, variance=0.5), only=3)
case(
    "normalization_invert",
    (4, 3),
    lambda nn: nn.Normalization(mean=[1.0, 2.0, 3.0], variance=[0.5, 4.0, 2.0], invert=True),
    only=3,
)
case("normalization_learnt", (4, 3), lambda nn: nn.Normalization())
case("normalization_learnt_first_axis", (4, 3), lambda nn: nn.Normalization(axis=1), only=3)
case("normalization_two_axes", (4, 3, 2), lambda nn: nn.Normalization(axis=(1, 3)))

_SHARED = (
    "relu",
    "sigmoid",
    "tanh",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "swish",
    "gelu",
    "exponential",
    "hard_sigmoid",
    "mish",
    "relu6",
)
_NEW = (
    "silu",
    "celu",
    "leaky_relu",
    "log_sigmoid",
    "tanh_shrink",
    "soft_shrink",
    "hard_shrink",
    "squareplus",
    "sparse_plus",
    "sparse_sigmoid",
    "hard_tanh",
    "hard_silu",
    "hard_swish",
)
case("activation_softmax", (4, 8), lambda nn: nn.Activation("softmax"))
case("activation_linear", (4, 8), lambda nn: nn.Activation("linear"), only=3)


@graph_case("activation_every")
def _(keras: Any) -> Any:
    x = keras.Input((4, 8))
    names = _SHARED if keras.__version__.startswith("2.") else (*_SHARED, *_NEW)
    return keras.Model(x, [keras.layers.Activation(name, name=f"to_{name}")(x) for name in names])


case("activation_inside_conv2d", (6, 5, 3), lambda nn: nn.Conv2D(4, 3, activation="hard_sigmoid"))
case("activation_layer_object", (6,), lambda nn: nn.Dense(5, activation=nn.LeakyReLU()))
case(
    "activation_relu_object",
    (6,),
    lambda nn: nn.Dense(5, activation=nn.ReLU(max_value=0.5, negative_slope=0.25)),
    only=3,
)
case("re_lu_default", (4, 8), lambda nn: nn.ReLU(), only=3)
case("re_lu_max_value", (4, 8), lambda nn: nn.ReLU(max_value=1.0), only=3)
case("re_lu_slope_threshold", (4, 8), lambda nn: nn.ReLU(max_value=1.5, negative_slope=0.2, threshold=0.5))
case("leaky_re_lu_default", (4, 8), lambda nn: nn.LeakyReLU())
case("leaky_re_lu_slope", (4, 8), lambda nn: nn.LeakyReLU(0.07), only=3)
case("thresholded_re_lu_theta", (4, 8), lambda nn: nn.ThresholdedReLU(0.5), only=2)
case("elu_alpha", (4, 8), lambda nn: nn.ELU(0.7), only=3)
case("softmax_last", (4, 8), lambda nn: nn.Softmax())
case("softmax_middle", (4, 3, 5), lambda nn: nn.Softmax(axis=2), only=3)
case("softmax_first", (4, 3, 5), lambda nn: nn.Softmax(axis=1))
case("softmax_two_axes", (4, 3, 5), lambda nn: nn.Softmax(axis=[-2, -1]), only=3)
case("softmax_split_axes", (4, 3, 5), lambda nn: nn.Softmax(axis=[1, 3]))

case("dense_vector", (7,), lambda nn: nn.Dense(5, activation="relu"))
case("dense_no_bias", (7,), lambda nn: nn.Dense(5, use_bias=False), only=3)
case("dense_matrix", (4, 7), lambda nn: nn.Dense(5, activation="softmax"))
case("dense_image", (3, 4, 7), lambda nn: nn.Dense(5), only=3)
case("dense_float64", (7,), lambda nn: nn.Dense(5, dtype="float64"), only=3)
case("flatten_default", (3, 4, 2), lambda nn: nn.Flatten())
case("flatten_channels_first", (3, 4, 2), lambda nn: nn.Flatten(**FIRST), lambda nn: nn.Dense(3))
case("reshape_inferred", (3, 4, 2), lambda nn: nn.Reshape((4, -1)))
case("reshape_given", (12,), lambda nn: nn.Reshape((2, 3, 2)), only=3)
case("permute_axes", (3, 4, 2), lambda nn: nn.Permute((3, 1, 2)))
case(
    "dropout_family",
    (5, 4, 3),
    lambda nn: nn.Dropout(0.5),
    lambda nn: nn.SpatialDropout2D(0.5),
    lambda nn: nn.GaussianNoise(1.0),
    lambda nn: nn.GaussianDropout(0.5),
    lambda nn: nn.AlphaDropout(0.5),
    lambda nn: nn.ActivityRegularization(0.1),
    lambda nn: nn.Conv2D(2, 1),
)

case(
    "sequential_seed_cnn",
    (12, 12, 1),
    lambda nn: nn.Conv2D(4, 3, padding="same", activation="relu", name="conv1"),
    lambda nn: nn.MaxPooling2D(2, strides=2, name="pool1"),
    lambda nn: nn.Dropout(0.25, name="dropout1"),
    lambda nn: nn.Conv2D(6, 3, padding="same", activation="relu", name="conv2"),
    lambda nn: nn.MaxPooling2D(2, name="pool2"),
    lambda nn: nn.Flatten(name="flatten"),
    lambda nn: nn.Dense(8, activation="relu", name="fc1"),
    lambda nn: nn.Dense(5, name="logits"),
)


@graph_case("sequential_without_input_layer")
def _(keras: Any) -> Any:
    model = keras.Sequential([keras.layers.Dense(5, activation="relu"), keras.layers.Dense(3)])
    model.build((None, 4))
    return model


@graph_case("sequential_batch_size")
def _(keras: Any) -> Any:
    return keras.Sequential([keras.layers.InputLayer((4,), batch_size=3), keras.layers.Dense(5)])


def _merge_case(name: str, *shapes: tuple[int, ...], only: int | None = None, **options: Any) -> None:
    def build(keras: Any) -> Any:
        inputs = [keras.Input(shape) for shape in shapes]
        layer = getattr(keras.layers, name.partition("_")[0].capitalize())
        return keras.Model(inputs, layer(**options)(inputs))

    graph_case(name, only)(build)


_merge_case("add_three", (4, 3, 2), (4, 3, 2), (4, 3, 2))
_merge_case("add_broadcast", (4, 3, 2), (1, 3, 1), only=3)
_merge_case("add_ranks", (4, 3, 2), (2,), only=3)
_merge_case("subtract_two", (4, 3), (4, 3))
_merge_case("multiply_two", (4, 3, 2), (1, 1, 2), only=3)
_merge_case("average_three", (4, 3), (4, 3), (4, 3))
_merge_case("maximum_three", (4, 3), (4, 3), (4, 3), only=3)
_merge_case("minimum_two", (4, 3), (4, 3), only=3)
_merge_case("concatenate_last", (4, 3, 2), (4, 3, 5))
_merge_case("concatenate_positive_axis", (4, 3, 2), (4, 1, 2), (4, 2, 2), axis=2)
_merge_case("concatenate_first_axis", (4, 3), (2, 3), axis=-2, only=3)


@graph_case("functional_residual")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((8, 8, 3), name="image")
    y = nn.Conv2D(4, 3, padding="same", use_bias=False)(x)
    y = nn.BatchNormalization()(y)
    y = nn.Activation("relu")(y)
    short = nn.Conv2D(4, 1)(x)
    y = nn.Add()([y, short])
    return keras.Model(x, nn.Dense(3, activation="softmax")(nn.GlobalAveragePooling2D()(y)))


@graph_case("functional_shared_layer")
def _(keras: Any) -> Any:
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = keras.layers.Dense(5, activation="relu", name="shared")
    first, second = shared(a), shared(b)
    return keras.Model(
        [a, b], keras.layers.Dense(2)(keras.layers.Subtract()([first, shared(keras.layers.Dense(4)(second))]))
    )


@graph_case("functional_shared_normalization", only=3)
def _(keras: Any) -> Any:
    a, b = keras.Input((4, 3)), keras.Input((4, 3))
    shared = keras.layers.BatchNormalization()
    return keras.Model([a, b], keras.layers.Concatenate()([shared(a), shared(b)]))


@graph_case("functional_many_outputs")
def _(keras: Any) -> Any:
    x = keras.Input((6,), name="x")
    y = keras.layers.Dense(4, activation="relu", name="body")(x)
    return keras.Model(x, [keras.layers.Dense(3, name="head_a")(y), y, keras.layers.Dense(2, name="head_b")(y)])


@graph_case("functional_named_outputs", only=3)
def _(keras: Any) -> Any:
    x, y = keras.Input((4,), name="x"), keras.Input((3,), name="y")
    return keras.Model(
        {"y": y, "x": x}, {"q": keras.layers.Dense(2, name="dq")(y), "p": keras.layers.Dense(2, name="dp")(x)}
    )


@graph_case("functional_input_as_output", only=3)
def _(keras: Any) -> Any:
    x = keras.Input((4,))
    return keras.Model(x, [keras.layers.Dense(2)(x), x])


@graph_case("nested_sequential")
def _(keras: Any) -> Any:
    inner = keras.Sequential(
        [keras.layers.InputLayer((6, 6, 2)), keras.layers.Conv2D(3, 3), keras.layers.BatchNormalization()], name="body"
    )
    return keras.Sequential([keras.layers.InputLayer((6, 6, 2)), inner, keras.layers.Flatten(), keras.layers.Dense(2)])


@graph_case("nested_first")
def _(keras: Any) -> Any:
    inner = keras.Sequential([keras.layers.InputLayer((4,)), keras.layers.Dense(3)], name="body")
    model = keras.Sequential([inner, keras.layers.Dense(2)])
    model.build((None, 4))
    return model


@graph_case("nested_functional_frozen")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((5,))
    inner = keras.Model(
        x,
        nn.Dense(3, name="d1")(nn.BatchNormalization(name="bn")(nn.Dense(4, name="d0", trainable=False)(x))),
        name="body",
    )
    z = keras.Input((5,))
    return keras.Model(z, nn.Dense(2, name="head")(inner(z)))


@graph_case("nested_functional_all_frozen", only=3)
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((5,))
    inner = keras.Model(
        x, nn.Dense(3, name="d1")(nn.BatchNormalization(name="bn")(nn.Dense(4, name="d0")(x))), name="body"
    )
    inner.trainable = False
    z = keras.Input((5,))
    return keras.Model(z, nn.Dense(2, name="head")(inner(z)))


@graph_case("nested_functional_called_twice")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((5,))
    inner = keras.Model(x, nn.Dense(5, activation="tanh")(x), name="body")
    a, b = keras.Input((5,)), keras.Input((5,))
    left = inner(a)
    return keras.Model([a, b], nn.Subtract()([inner(left), inner(b)]))


@graph_case("nested_functional_is_output")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((5,))
    inner = keras.Model(x, [nn.Dense(3)(x), nn.Dense(2)(x)], name="body")
    z = keras.Input((5,))
    first, second = inner(nn.Dense(5)(z))
    return keras.Model(z, [second, first])


@graph_case("nested_sequential_in_functional")
def _(keras: Any) -> Any:
    nn = keras.layers
    with_input = keras.Sequential([nn.InputLayer((5,)), nn.Dense(5)], name="with_input")
    without = keras.Sequential([nn.Dense(5, activation="tanh")], name="without_input")
    z = keras.Input((5,))
    y = without(with_input(z))
    return keras.Model(z, [nn.Add()([without(y), with_input(y)]), y])


@graph_case("nested_twice_deep")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((4,))
    core = keras.Model(x, nn.BatchNormalization()(nn.Dense(4, trainable=False)(x)), name="core")
    y = keras.Input((4,))
    middle = keras.Model(y, nn.Dense(3)(core(y)), name="middle")
    z = keras.Input((4,))
    return keras.Model(z, nn.Dense(2)(middle(z)))


def compile_with_logits(keras: Any, model: Any) -> None:
    """Compile with a loss object whose `from_logits` is set."""
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))


@graph_case("training_from_logits")
def _(keras: Any) -> Any:
    model = sequential((4,), lambda nn: nn.Dense(3))(keras)
    compile_with_logits(keras, model)
    return model


@graph_case("training_by_name")
def _(keras: Any) -> Any:
    model = sequential((4,), lambda nn: nn.Dense(3, activation="softmax"))(keras)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model
