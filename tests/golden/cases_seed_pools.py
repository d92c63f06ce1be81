"""Cases of pooling layers that Keras has not: custom layers written with TensorFlow, saved under their names."""

from typing import Any

from tests.golden.case import graph_case


def _layer(keras: Any, name: str, compute: Any, options: dict[str, Any]) -> Any:
    """A registered layer of class `name` that keeps `options` in its configuration."""

    def call(self: Any, x: Any) -> Any:
        return compute(x, self.options)

    def get_config(self: Any) -> dict[str, Any]:
        return {**super(kind, self).get_config(), **self.options}

    kind = type(name, (keras.layers.Layer,), {"call": call, "get_config": get_config})
    keras.saving.register_keras_serializable("pools")(kind)
    layer = kind()
    layer.options = options
    return layer


def _windows(x: Any, options: dict[str, Any]) -> Any:
    """(n, oh, ow, cells, c); cells outside are zeros."""
    import tensorflow as tf

    (kh, kw), (sh, sw) = options["pool_size"], options["strides"]
    sizes, steps = [1, kh, kw, 1], [1, sh, sw, 1]
    patches = tf.image.extract_patches(x, sizes, steps, [1, 1, 1, 1], options["padding"].upper())
    n, oh, ow, _ = patches.shape
    return tf.reshape(patches, (-1 if n is None else n, oh, ow, kh * kw, x.shape[-1]))


def _norm(x: Any, options: dict[str, Any]) -> Any:
    import tensorflow as tf

    return tf.reduce_sum(tf.abs(_windows(x, options)) ** options["p"], -2) ** (1 / options["p"])


def _stochastic(x: Any, options: dict[str, Any]) -> Any:
    import tensorflow as tf

    a = tf.nn.relu(_windows(x, options))
    return tf.math.divide_no_nan(tf.reduce_sum(a * a, -2), tf.reduce_sum(a, -2))


def _fractional(kind: str) -> Any:
    def compute(x: Any, options: dict[str, Any]) -> Any:
        import tensorflow as tf

        function = getattr(tf.nn, f"fractional_{kind}_pool")
        r = options["pooling_ratio"]
        ratio = [1.0, *(r if isinstance(r, list) else [r, r]), 1.0]
        return function(x, ratio, options["pseudo_random"], options["overlapping"], options["seed"])[0]

    return compute


def _case(case: str, name: str, compute: Any, shape: tuple[int, ...] = (9, 8, 3), **options: Any) -> None:
    def build(keras: Any) -> Any:
        return keras.Sequential([keras.layers.InputLayer(shape), _layer(keras, name, compute, options)])

    graph_case(case)(build)


_WINDOW = {"pool_size": [2, 3], "strides": [2, 2], "padding": "valid", "data_format": "channels_last"}
_case("lp_pooling2d_two", "LpPooling2D", _norm, p=2.0, **_WINDOW)
_case("lp_pooling2d_three_same", "LpPooling2D", _norm, p=3.0, **_WINDOW | {"padding": "same"})
_case("stochastic_pooling2d", "StochasticPooling2D", _stochastic, **_WINDOW)
_case("stochastic_pooling2d_same", "StochasticPooling2D", _stochastic, **_WINDOW | {"padding": "same"})
for _kind, _name in (("max", "Max"), ("avg", "Average")):
    for _random in (True, False):
        for _overlap in (True, False):
            _case(
                f"fractional_{_name.lower()}_pooling2d_{'pseudo' if _random else 'random'}{'_overlapping' * _overlap}",
                f"Fractional{_name}Pooling2D",
                _fractional(_kind),
                (17, 20, 2),
                pooling_ratio=[1.44, 1.73],
                pseudo_random=_random,
                overlapping=_overlap,
                seed=7,
            )
