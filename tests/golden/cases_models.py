"""Models as they are met: inside each other, with several inputs and outputs, of the layers of keras.applications."""

from typing import Any

from tests.golden.case import graph_case


@graph_case("nested_teachable_machine", only=2)
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((12, 12, 3))
    y = nn.ZeroPadding2D(((0, 1), (0, 1)))(x)
    y = nn.ReLU(6.0)(nn.BatchNormalization()(nn.Conv2D(8, 3, strides=2, use_bias=False)(y)))
    y = nn.ReLU(6.0)(nn.BatchNormalization()(nn.DepthwiseConv2D(3, padding="same", use_bias=False)(y)))
    z = nn.BatchNormalization()(nn.Conv2D(8, 1, use_bias=False)(y))
    features = keras.Model(x, nn.Add()([y, z]))
    body = keras.Sequential([features, nn.GlobalAveragePooling2D()])
    head = keras.Sequential([nn.Dense(6, activation="relu"), nn.Dense(3, use_bias=False, activation="softmax")])
    return keras.Sequential([body, head])


@graph_case("functional_shared_model")
def _(keras: Any) -> Any:
    nn = keras.layers
    x = keras.Input((5,), name="inner")
    shared = keras.Model(x, [nn.Dense(4, activation="tanh")(x), nn.Dense(2)(x)], name="shared")
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    first, second = shared(a), shared(b)
    return keras.Model([a, b], [nn.Subtract()([first[0], second[0]]), nn.Concatenate()([first[1], second[1]])])


@graph_case("custom_scale_layer")
def _(keras: Any) -> Any:
    module = __import__(f"{keras.__name__}.src.applications.inception_resnet_v2", fromlist=["CustomScaleLayer"])
    a, b = keras.Input((4, 3)), keras.Input((4, 3))
    return keras.Model([a, b], module.CustomScaleLayer(0.17)([a, b]))


@graph_case("layer_scale")
def _(keras: Any) -> Any:
    module = __import__(f"{keras.__name__}.src.applications.convnext", fromlist=["LayerScale"])
    x = keras.Input((4, 3))
    return keras.Model(x, module.StochasticDepth(0.25)(module.LayerScale(1e-6, 3)(x)))


@graph_case("identity_family", only=3)
def _(keras: Any) -> Any:
    x = keras.Input((2, 3, 4, 3))
    return keras.Model(x, keras.layers.SpatialDropout3D(0.5)(keras.layers.Identity()(x)))


def _own(keras: Any, base: Any) -> Any:
    return keras.saving.register_keras_serializable("mine")(type("OwnModel", (base,), {}))


@graph_case("models_of_own_classes")
def _(keras: Any) -> Any:
    own, nn = _own(keras, keras.Model), keras.layers
    x = keras.Input((6, 5, 2))
    inner = own(x, nn.BatchNormalization()(nn.Conv2D(3, 2)(x)), name="inner")
    x = keras.Input((6, 5, 2))
    return own(x, nn.Dense(2)(nn.Flatten()(inner(x))))


@graph_case("sequential_of_own_class")
def _(keras: Any) -> Any:
    own, nn = _own(keras, keras.Sequential), keras.layers
    return own([nn.InputLayer((6, 5, 2)), nn.Conv2D(3, 2), nn.Flatten(), nn.Dense(2)])


@graph_case("attention_by_names")
def _(keras: Any) -> Any:
    x, y = keras.Input((5, 4)), keras.Input((3, 4))
    return keras.Model([x, y], keras.layers.MultiHeadAttention(2, 3)(query=x, value=y, key=y))
