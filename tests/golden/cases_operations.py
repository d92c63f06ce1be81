"""Models that call functions between layers: Keras 3's `ops`, TensorFlow's functions in Keras 2."""

from typing import Any

import numpy as np

from tests.golden.case import graph_case

ROW = np.array([0.5, -1.0, 2.0], np.float32)


def _tensorflow() -> Any:
    import tensorflow

    return tensorflow


@graph_case("operations_arithmetic", only=3)
def _(keras: Any) -> Any:
    o, a, b = keras.ops, keras.Input((4, 3)), keras.Input((4, 3))
    y = [
        a + 3.0,
        2.0 - a,
        a * ROW,
        o.add(a, b),
        o.subtract(a, b),
        a / (o.abs(b) + 1.0),
        o.maximum(a, b),
        o.minimum(a, 0.1),
    ]
    y += [
        o.power(a, 2),
        o.power(o.abs(a), 1.5),
        a % 0.7,
        a // 0.7,
        -a,
        o.square(a),
        o.sqrt(o.abs(a)),
        o.exp(a),
        o.sign(a),
    ]
    y += [
        o.log(o.abs(a) + 0.1),
        o.floor(a),
        o.ceil(a),
        o.round(a),
        o.sin(a),
        o.cos(a),
        o.tanh(a),
        o.reciprocal(o.abs(a) + 1),
    ]
    y += [o.clip(a, -0.5, 0.75), o.clip(a, 0, 1), o.erf(a), o.rsqrt(o.abs(a) + 1), o.log1p(o.abs(a)), o.expm1(a)]
    return keras.Model([a, b], [*y, keras.layers.Add()([a, b])])


@graph_case("operations_comparisons", only=3)
def _(keras: Any) -> Any:
    o, a, b = keras.ops, keras.Input((4, 3)), keras.Input((4, 3))
    above, below = o.greater(a, b), o.less_equal(a, 0.25)
    y = [o.where(above, a, b), o.where(below, a, 0.0), o.where(o.logical_and(above, below), ROW, b)]
    y += [
        o.cast(o.logical_or(o.logical_not(above), below), "float32"),
        o.cast(a * 3, "int32"),
        o.cast(a > 0, "float32"),
    ]
    y += [
        o.cast(o.any(above, axis=-1), "float32"),
        o.cast(o.all(below, axis=1), "float32"),
        o.cast(o.equal(a, a), "float32"),
    ]
    y += [
        o.cast(o.argmax(a, axis=-1), "float32"),
        o.cast(o.argmin(a, axis=1), "float32"),
        o.ones_like(a),
        o.zeros_like(a),
    ]
    y += [o.one_hot(o.cast(o.argmax(a, axis=-1), "int32"), 3), o.cast(o.count_nonzero(o.relu(a), axis=1), "float32")]
    return keras.Model([a, b], y)


@graph_case("operations_activations", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((4, 6))
    y = [o.relu(a), o.relu6(a), o.leaky_relu(a, 0.1), o.elu(a, 0.5), o.selu(a), o.celu(a, 0.7), o.gelu(a), o.sigmoid(a)]
    y += [o.gelu(a, approximate=False), o.silu(a), o.softplus(a), o.softsign(a), o.hard_sigmoid(a), o.hard_silu(a)]
    y += [
        o.log_sigmoid(a),
        o.softmax(a),
        o.softmax(a, axis=1),
        o.log_softmax(a),
        o.squareplus(a),
        o.soft_shrink(a, 0.3),
    ]
    return keras.Model(a, [*y, o.hard_shrink(a, 0.3), o.tanh_shrink(a), o.hard_tanh(a), o.normalize(a, axis=1)])


@graph_case("operations_reductions", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((4, 3, 2))
    y = [
        o.sum(a, axis=-1),
        o.mean(a, axis=[1, 2]),
        o.max(a, axis=(2, 3), keepdims=True),
        o.min(a, axis=1),
        o.prod(a, axis=2),
    ]
    y += [o.var(a, axis=-1), o.std(a, axis=[1, 2], keepdims=True), o.logsumexp(a, axis=2), o.norm(a, axis=-1)]
    return keras.Model(a, [*y, o.cumsum(a, axis=1), o.mean(a, axis=[1, 2, 3])])


@graph_case("operations_shapes", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((4, 6, 2))
    y = [o.reshape(a, (-1, 24, 2)), o.reshape(a, (-1, 8, 6)), o.transpose(a, (0, 3, 1, 2)), o.swapaxes(a, 1, -1)]
    y += [
        o.moveaxis(a, 1, 3),
        o.expand_dims(a, 1),
        o.squeeze(o.expand_dims(a, -1), -1),
        o.concatenate([a, a * 2], axis=2),
    ]
    y += [o.stack([a, -a], axis=1), *o.split(a, 3, axis=2), *o.split(a, [1, 3], axis=1), *o.unstack(a, axis=3)]
    y += [o.pad(a, ((0, 0), (1, 2), (0, 1), (0, 0))), o.pad(a, ((0, 0), (0, 0), (1, 1), (2, 0)), constant_values=1.5)]
    y += [
        o.pad(a, ((0, 0), (2, 1), (1, 1), (0, 0)), mode="reflect"),
        o.pad(a, ((0, 0), (2, 1), (0, 0), (1, 0)), mode="symmetric"),
    ]
    y += [o.tile(a, (1, 2, 1, 3)), o.repeat(a, 2, axis=2), o.roll(a, 1, axis=1), o.flip(a, axis=2)]
    return keras.Model(a, [*y, o.take(a, [2, 0, -1], axis=1)])


@graph_case("operations_slices", only=3)
def _(keras: Any) -> Any:
    a = keras.Input((5, 6, 3))
    y = [
        a[:, 1:3],
        a[:, ::2, 1:-1],
        a[..., 0],
        a[:, :, None, 1:],
        a[:, -1],
        a[:, ::-1, 4],
        a[:, 1:2, ..., 2],
        a[..., None],
    ]
    return keras.Model(a, y)


@graph_case("operations_products", only=3)
def _(keras: Any) -> Any:
    o, a, b = keras.ops, keras.Input((4, 3)), keras.Input((3, 5))
    matrix = np.arange(15, dtype=np.float32).reshape(5, 3) / 7 - 1
    y = [o.matmul(a, b), o.einsum("bij,bjk->bik", a, b), o.einsum("bij,bjk->bki", a, b), o.einsum("bij->bj", a)]
    y += [o.einsum("bij,bik->bjk", a, o.matmul(a, b)), o.matmul(b, matrix), o.einsum("bjk,ki->bij", b, matrix)]
    return keras.Model([a, b], y)


@graph_case("operations_images", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((6, 8, 2))
    return keras.Model(a, [o.image.resize(a, (9, 5)), o.image.resize(a, (12, 16), interpolation="nearest")])


@graph_case("operations_tensorflow", only=2)
def _(keras: Any) -> Any:
    tf, a, b = _tensorflow(), keras.Input((4, 3)), keras.Input((4, 3))
    y = [
        a + 3.0,
        2.0 - a,
        a * ROW,
        tf.add(a, b),
        a / (tf.abs(b) + 1.0),
        tf.maximum(a, b),
        tf.minimum(a, 0.1),
        a**2.0,
        -a,
    ]
    y += [a % 0.7, a // 0.7, tf.square(a), tf.sqrt(tf.abs(a)), tf.exp(a), tf.math.log(tf.abs(a) + 0.1), tf.floor(a)]
    y += [tf.clip_by_value(a, -0.5, 0.5), tf.where(a > b, a, 0.0), tf.cast(a > 0, tf.float32), tf.cast(a * 3, tf.int32)]
    y += [
        tf.nn.relu(a),
        tf.nn.relu6(a),
        tf.nn.leaky_relu(a, 0.1),
        tf.nn.elu(a),
        tf.nn.selu(a),
        tf.nn.gelu(a),
        tf.sigmoid(a),
    ]
    y += [
        tf.nn.swish(a),
        tf.nn.softplus(a),
        tf.tanh(a),
        tf.nn.softmax(a),
        tf.nn.softmax(a, axis=1),
        tf.nn.log_softmax(a),
    ]
    y += [tf.nn.l2_normalize(a, axis=-1), tf.math.squared_difference(a, b), tf.math.rsqrt(tf.abs(a) + 1), tf.sign(a)]
    return keras.Model([a, b], [*y, tf.math.erf(a), tf.ones_like(a), tf.one_hot(tf.argmax(a, axis=-1), 3)])


@graph_case("operations_tensorflow_axes", only=2)
def _(keras: Any) -> Any:
    tf, a = _tensorflow(), keras.Input((4, 6, 2))
    y = [tf.reduce_sum(a, -1), tf.reduce_mean(a, [1, 2]), tf.reduce_max(a, axis=2, keepdims=True), tf.reduce_min(a, 1)]
    y += [
        tf.reshape(a, (-1, 24, 2)),
        tf.reshape(a, [tf.shape(a)[0], 8, -1]),
        tf.transpose(a, (0, 3, 1, 2)),
        a[:, 1:3, ::2],
    ]
    y += [
        tf.reshape(a, tf.stack([tf.shape(a)[0], tf.shape(a)[1] * tf.shape(a)[2], 2])),
        a[..., 0],
        a[:, :, tf.newaxis, 1:],
    ]
    y += [
        tf.expand_dims(a, 1),
        tf.squeeze(tf.expand_dims(a, -1), -1),
        tf.concat([a, a * 2], axis=2),
        tf.stack([a, -a], 1),
    ]
    y += [
        *tf.split(a, 3, axis=2),
        *tf.split(a, [1, 3], axis=1),
        *tf.unstack(a, axis=3),
        tf.pad(a, [[0, 0], [1, 2], [0, 1], [0, 0]]),
    ]
    y += [
        tf.pad(a, [[0, 0], [1, 1], [2, 0], [0, 0]], mode="REFLECT"),
        tf.tile(a, [1, 2, 1, 3]),
        tf.gather(a, [2, 0], axis=1),
    ]
    y += [
        tf.matmul(a, a, transpose_a=True),
        tf.matmul(a, a, transpose_b=True),
        tf.cumsum(a, axis=1),
        tf.reverse(a, [2]),
    ]
    y += [tf.image.resize(a, (9, 5)), tf.nn.space_to_depth(a, 2), tf.nn.depth_to_space(tf.concat([a, a], -1), 2)]
    return keras.Model(a, y)
