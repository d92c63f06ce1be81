"""Models that call less common functions: windows with constant kernels, statistics, frames, sorting."""

from typing import Any

import numpy as np

from tests.golden.case import graph_case

KERNEL = np.random.default_rng(5).normal(size=(3, 2, 4, 6)).astype(np.float32)
DEPTHWISE = np.random.default_rng(6).normal(size=(3, 3, 4, 2)).astype(np.float32)
ROW = np.random.default_rng(7).uniform(0.5, 1.5, 4).astype(np.float32)


def _tensorflow() -> Any:
    import tensorflow

    return tensorflow


@graph_case("functions_windows", only=3)
def _(keras: Any) -> Any:
    o, a, line = keras.ops, keras.Input((7, 9, 4)), keras.Input((11, 4))
    y = [
        o.max_pool(a, 2),
        o.max_pool(a, (3, 2), strides=2, padding="same"),
        o.average_pool(a, 3, strides=(2, 1), padding="same"),
        o.max_pool(line, 3, strides=2),
        o.average_pool(line, 2),
    ]
    y += [
        o.conv(a, KERNEL, strides=2, padding="same"),
        o.conv(a, KERNEL, dilation_rate=2),
        o.conv(line, KERNEL[:, 0], padding="valid"),
        o.depthwise_conv(a, DEPTHWISE, strides=2, padding="same"),
        o.separable_conv(a, DEPTHWISE, np.ones((1, 1, 8, 3), np.float32) / 3),
    ]
    return keras.Model([a, line], y)


@graph_case("functions_volumes", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((5, 6, 7, 2))
    kernel = np.random.default_rng(8).normal(size=(2, 3, 2, 2, 3)).astype(np.float32)
    y = [o.max_pool(a, 2), o.average_pool(a, 2, strides=1, padding="same"), o.conv(a, kernel, padding="same")]
    return keras.Model(a, y)


@graph_case("functions_statistics", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((3, 5, 4))
    y = [
        *o.moments(a, axes=[1, 2]),
        *o.moments(a, axes=[3], keepdims=True),
        o.batch_normalization(a, ROW, ROW**2, axis=-1, offset=ROW, scale=ROW),
        o.layer_normalization(a, ROW, ROW, axis=-1),
        o.rms_normalization(a, scale=ROW, axis=-1),
    ]
    y += [o.median(a, axis=1), o.quantile(a, 0.3, axis=[1, 2]), o.amax(a, axis=2), o.amin(a, axis=1)]
    return keras.Model(a, [*y, o.nanmean(a, axis=2)])


@graph_case("functions_elementwise", only=3)
def _(keras: Any) -> Any:
    o, a, b = keras.ops, keras.Input((4, 3)), keras.Input((4, 3))
    small = o.tanh(a)
    y = [o.arctan(a), o.arcsin(small), o.arccos(small), o.arctan2(a, b), o.tan(small), o.sinh(a), o.cosh(a)]
    y += [o.arcsinh(a), o.log2(o.abs(a) + 0.1), o.log10(o.abs(a) + 0.1), o.logaddexp(a, b), o.hypot(a, b)]
    y += [o.trunc(a * 3), o.divide_no_nan(a, o.floor(b)), o.nan_to_num(o.log(a), nan=7.0, neginf=-3.0), o.exp2(a)]
    y += [o.cast(o.isfinite(a), "float32"), o.cast(o.logical_xor(a > 0, b > 0), "float32"), o.deg2rad(a)]
    return keras.Model(
        [a, b], [*y, o.heaviside(o.relu(a), b), o.cumprod(a, axis=1), o.glu(o.concatenate([a, b], 1), 1)]
    )


@graph_case("functions_places", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((4, 6))
    values, places = o.top_k(a, 3)
    y = [o.sort(a, axis=-1), o.cast(o.argsort(a, axis=1), "float32"), values, o.cast(places, "float32")]
    y += [o.tril(a), o.triu(a, 1), o.diagonal(a, axis1=1, axis2=2), o.diff(a, axis=-1), o.append(a, a, axis=1)]
    y += [
        o.take_along_axis(a, o.argsort(a, axis=-1), axis=-1),
        o.hstack([a, a]),
        o.take(np.arange(14.0), o.cast(a > 0, "int32")),
    ]
    table = np.random.default_rng(9).normal(size=(8, 5)).astype(np.float32)
    y += [o.take(table, o.argmax(a, axis=-1), axis=0), o.tensordot(a, table[:6], axes=1), *o.array_split(a, 2, axis=2)]
    return keras.Model(a, y)


@graph_case("functions_images", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((6, 8, 3))
    inside = o.sigmoid(a)
    y = [o.image.rgb_to_grayscale(inside), o.image.rgb_to_hsv(inside), o.image.hsv_to_rgb(inside)]
    y += [o.image.crop_images(a, top_cropping=1, left_cropping=2, target_height=3, target_width=4)]
    y += [o.image.pad_images(a, top_padding=1, left_padding=2, target_height=9, target_width=12)]
    return keras.Model(a, [*y, o.nn.space_to_depth(a, 2), o.nn.depth_to_space(o.concatenate([a, a, a, a], -1), 2)])


@graph_case("functions_attention", only=3)
def _(keras: Any) -> Any:
    o, q, k = keras.ops, keras.Input((5, 2, 4)), keras.Input((7, 2, 4))
    y = [o.nn.dot_product_attention(q, k, k), o.nn.dot_product_attention(q, q, q, is_causal=True, scale=0.3)]
    return keras.Model([q, k], y)


@graph_case("functions_tensorflow_windows", only=2)
def _(keras: Any) -> Any:
    tf, a, line = _tensorflow(), keras.Input((7, 9, 4)), keras.Input((11, 4))
    y = [
        tf.nn.max_pool2d(a, 2, 2, "VALID"),
        tf.nn.max_pool2d(a, [1, 3, 2, 1], [1, 2, 2, 1], "SAME"),
        tf.nn.avg_pool2d(a, 3, 2, "SAME"),
        tf.nn.max_pool1d(line, 3, 2, "VALID"),
        tf.nn.avg_pool(a, [2, 3], 1, "SAME"),
        tf.nn.max_pool2d(a, 3, 2, [[0, 0], [1, 1], [1, 0], [0, 0]]),
    ]
    y += [
        tf.nn.conv2d(a, KERNEL, 2, "SAME"),
        tf.nn.conv2d(a, KERNEL, [1, 1, 2, 1], [[0, 0], [1, 2], [0, 1], [0, 0]]),
        tf.nn.conv2d(a, KERNEL[:, :, :2], 1, "VALID", dilations=2),
        tf.nn.conv1d(line, KERNEL[:, 0], 2, "SAME"),
        tf.nn.depthwise_conv2d(a, DEPTHWISE, [1, 2, 2, 1], "SAME"),
        tf.nn.bias_add(a, ROW),
        tf.nn.bias_add(a, ROW, "NHWC"),
        tf.nn.bias_add(a, np.arange(7, dtype=np.float32), data_format="NCHW"),
    ]
    y += [tf.nn.conv2d_transpose(a, KERNEL.swapaxes(2, 3), (3, 14, 18, 6), 2, "SAME"), tf.nn.pool(a, [2, 2], "MAX")]
    return keras.Model(
        [a, line], [*y, tf.nn.separable_conv2d(a, DEPTHWISE, np.ones((1, 1, 8, 2), np.float32), [1] * 4, "VALID")]
    )


@graph_case("functions_tensorflow_statistics", only=2)
def _(keras: Any) -> Any:
    tf, a = _tensorflow(), keras.Input((3, 5, 4))
    mean, variance = tf.nn.moments(a, [1, 2], keepdims=True)
    y = [
        mean,
        variance,
        tf.nn.batch_normalization(a, mean, variance, ROW, ROW, 1e-3),
        tf.nn.batch_normalization(a, ROW, ROW**2, None, None, 1e-3),
        tf.nn.local_response_normalization(a, 1, 2.0, 0.3, 0.75),
    ]
    y += [tf.image.per_image_standardization(a), tf.math.reduce_euclidean_norm(a, axis=-1), tf.norm(a, axis=1)]
    return keras.Model(a, [*y, tf.math.reduce_std(a, axis=1), tf.math.reduce_variance(a, axis=[1, 2])])


@graph_case("functions_tensorflow_elementwise", only=2)
def _(keras: Any) -> Any:
    tf, a, b = _tensorflow(), keras.Input((4, 3)), keras.Input((4, 3))
    y = [tf.atan(a), tf.asin(tf.tanh(a)), tf.math.atan2(a, b), tf.sinh(a), tf.cosh(a), tf.tan(tf.tanh(a))]
    y += [tf.math.divide_no_nan(a, tf.floor(b)), tf.math.multiply_no_nan(a, tf.floor(b)), tf.math.xlogy(a, b * b)]
    y += [tf.cast(tf.math.is_finite(a), tf.float32), tf.math.cumprod(a, axis=1), tf.nn.crelu(a)]
    return keras.Model([a, b], [*y, tf.saturate_cast(a * 300, tf.uint8), tf.math.reciprocal_no_nan(tf.floor(a))])


@graph_case("functions_tensorflow_places", only=2)
def _(keras: Any) -> Any:
    tf, a = _tensorflow(), keras.Input((4, 6))
    top = tf.math.top_k(a, 3)
    table = np.random.default_rng(9).normal(size=(8, 5)).astype(np.float32)
    y = [tf.sort(a), tf.sort(a, direction="DESCENDING"), tf.argsort(a, axis=1), top[0], top[1]]
    y += [tf.linalg.band_part(a, 1, -1), tf.linalg.diag_part(a), tf.gather(table, tf.argmax(a, axis=-1))]
    y += [
        tf.tensordot(a, table[:6], axes=1),
        tf.tensordot(a, table[:6], axes=[[2], [0]]),
        tf.linalg.matrix_transpose(a),
    ]
    y += [tf.nn.embedding_lookup(table, tf.argmax(a, axis=1)), tf.linalg.matvec(a, table[:6, 0])]
    return keras.Model(a, y)


@graph_case("functions_tensorflow_images", only=2)
def _(keras: Any) -> Any:
    tf, a = _tensorflow(), keras.Input((6, 8, 3))
    inside, old = tf.sigmoid(a), tf.compat.v1.image
    y = [tf.image.rgb_to_grayscale(inside), tf.image.rgb_to_hsv(inside), tf.image.hsv_to_rgb(inside)]
    y += [tf.image.flip_left_right(a), tf.image.flip_up_down(a), tf.image.transpose(a), tf.image.rot90(a, 3)]
    y += [tf.image.resize_with_crop_or_pad(a, 4, 11), tf.image.resize_with_pad(a, 9, 9), tf.image.central_crop(a, 0.5)]
    y += [tf.image.crop_to_bounding_box(a, 1, 2, 3, 4), tf.image.pad_to_bounding_box(a, 1, 2, 9, 12)]
    y += [tf.image.adjust_contrast(a, 0.4), tf.image.adjust_brightness(a, 0.2), tf.image.rgb_to_yuv(inside)]
    y += [old.resize_bilinear(a, (9, 5)), old.resize_bilinear(a, (9, 5), align_corners=True)]
    y += [old.resize_nearest_neighbor(a, (9, 5)), old.resize_nearest_neighbor(a, (11, 16), align_corners=True)]
    return keras.Model(
        a, [*y, old.resize_images(a, (4, 3)), tf.image.rgb_to_yiq(inside), tf.image.adjust_gamma(inside, 2.0)]
    )


@graph_case("functions_sizes", only=2)
def _(keras: Any) -> Any:
    tf, a = _tensorflow(), keras.Input((6, 8, 3))
    shape, count = tf.shape(a), keras.backend.shape(a)[0]
    columns = tf.tile(tf.reshape(tf.range(8, dtype=tf.float32), [1, 1, 8, 1]), [count, 6, 1, 1])
    y = [tf.image.resize(a, [shape[1] * 2, shape[2] // 2]), tf.image.resize(a, shape[1:3] * 2), columns + a]
    y += [tf.concat([tf.zeros([count, 1, 8, 3]), a], 1), tf.concat([a, tf.fill([count, 6, 8, 1], 2.5)], -1)]
    y += [tf.reshape(a, [-1, tf.reduce_prod(shape[1:])]), keras.backend.batch_flatten(a), tf.image.sobel_edges(a)]
    y += [tf.concat([tf.ones([count, 6, 8, 2]), a], -1), tf.reshape(a, tf.concat([shape[:1], [48, 3]], 0))]
    return keras.Model(a, y)


@graph_case("functions_patches", only=2)
def _(keras: Any) -> Any:
    tf, a = _tensorflow(), keras.Input((6, 8, 3))
    y = [tf.image.extract_patches(a, [1, 2, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID")]
    y += [tf.image.extract_patches(a, [1, 3, 2, 1], [1, 1, 2, 1], [1, 2, 1, 1], "SAME"), tf.linalg.trace(a)]
    return keras.Model(a, [*y, tf.one_hot(tf.argmax(a, -1), 3), tf.image.convert_image_dtype(a, tf.float32)])


@graph_case("functions_rarer", only=3)
def _(keras: Any) -> Any:
    o, a = keras.ops, keras.Input((6, 8, 3))
    y = [o.average(a, axis=1), o.einsum("bhwc,bhkc,bhkd->bhwd", a, a, a), o.image.extract_patches(a, (2, 3))]
    y += [o.image.extract_patches(a, (2, 2), strides=1, padding="same"), o.inner(a, np.ones((2, 3), np.float32))]
    y += [o.rot90(a, k=1, axes=(1, 2)), o.rot90(a, k=3, axes=(3, 1)), o.trace(a, axis1=1, axis2=2), o.sparsemax(a)]
    return keras.Model(a, [*y, o.multi_hot(o.cast(o.argmax(a, -1), "int32"), 3)])
