"""The Keras models of the comparison, with seeded random weights. Runs where Keras is, in the `tensorflow` environment.

`python architectures.py NAME FILE.h5 SCALE` writes one model whose inputs are uniform in [0, SCALE).
"""

import sys
from collections.abc import Callable

import keras  # type: ignore[import-not-found]
import numpy as np
from keras import applications, layers

CALIBRATION_IMAGES = 32
SEED = 20
LOGITS = 2.0


def example_32() -> keras.Model:
    """The worked 32x32x3 example: two convolutions, two pools, two dense layers; 268,650 parameters."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _normalised(x: keras.KerasTensor, layer: keras.Layer) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(layer(x)))


def resnet8() -> keras.Model:
    """MLPerf Tiny image classification: 32x32x3, three residual stacks of 16, 32 and 64 filters."""
    image = keras.Input((32, 32, 3))
    x = _normalised(image, layers.Conv2D(16, 3, padding="same"))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = _normalised(x, layers.Conv2D(filters, 3, stride, padding="same"))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        if stride > 1:
            x = layers.Conv2D(filters, 1, stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def mobilenet_v1() -> keras.Model:
    """MLPerf Tiny visual wake words: MobileNetV1 of width 0.25 on 96x96x3."""
    image = keras.Input((96, 96, 3))
    x = _normalised(image, layers.Conv2D(8, 3, 2, padding="same"))
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)):
        x = _normalised(x, layers.DepthwiseConv2D(3, stride, padding="same"))
        x = _normalised(x, layers.Conv2D(filters, 1))
    x = layers.Flatten()(layers.AveragePooling2D(3)(x))
    return keras.Model(image, layers.Dense(2, activation="softmax")(x))


def ds_cnn() -> keras.Model:
    """MLPerf Tiny keyword spotting: depthwise-separable convolutions on a 49x10 spectrogram."""
    image = keras.Input((49, 10, 1))
    x = layers.Dropout(0.2)(_normalised(image, layers.Conv2D(64, (10, 4), 2, padding="same")))
    for _ in range(4):
        x = _normalised(x, layers.DepthwiseConv2D(3, padding="same"))
        x = _normalised(x, layers.Conv2D(64, 1))
    x = layers.Flatten()(layers.AveragePooling2D((24, 5))(layers.Dropout(0.4)(x)))
    return keras.Model(image, layers.Dense(12, activation="softmax")(x))


def autoencoder() -> keras.Model:
    """MLPerf Tiny anomaly detection: dense 640 to 8 to 640."""
    vector = keras.Input((640,))
    x = vector
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = _normalised(x, layers.Dense(units))
    return keras.Model(vector, layers.Dense(640)(x))


def lstm() -> keras.Model:
    """A sequence classifier: 128 steps of 64 features, 128 units."""
    return keras.Sequential([keras.Input((128, 64)), layers.LSTM(128), layers.Dense(10, activation="softmax")])


def convnext_tiny() -> keras.Model:
    """ConvNeXtTiny with its residual sums as Add layers: Keras writes a bare `+` to `.h5` but cannot read it back."""

    def copied(operation: keras.Operation) -> keras.Operation:
        is_layer = isinstance(operation, keras.Layer)
        return type(operation).from_config(operation.get_config()) if is_layer else layers.Add(name=operation.name)

    def called(layer: keras.Layer, *inputs: keras.KerasTensor, **options: object) -> keras.KerasTensor:
        return layer(list(inputs)) if isinstance(layer, layers.Add) else layer(*inputs, **options)

    model = applications.ConvNeXtTiny(weights=None)
    return keras.models.clone_model(model, clone_function=copied, call_function=called)


def _application(name: str) -> Callable[[], keras.Model]:
    return lambda: getattr(applications, name)(weights=None)


BUILDERS: dict[str, Callable[[], keras.Model]] = {
    "example_32": example_32,
    "resnet8": resnet8,
    "mobilenet_v1": mobilenet_v1,
    "ds_cnn": ds_cnn,
    "autoencoder": autoencoder,
    "vgg16": _application("VGG16"),
    "resnet50": _application("ResNet50"),
    "densenet121": _application("DenseNet121"),
    "mobilenet_v2": _application("MobileNetV2"),
    "efficientnet_b0": _application("EfficientNetB0"),
    "convnext_tiny": convnext_tiny,
    "lstm": lstm,
}


def _random(name: str, shape: tuple[int, ...], depthwise: bool, rng: np.random.Generator) -> np.ndarray | None:
    """A value for the variable called `name`; None leaves it as it is. Kernels keep the variance of a ReLU network."""
    if name == "kernel":
        return rng.normal(0, (2 / np.prod(shape[: 2 if depthwise else -1])) ** 0.5, shape)
    if name == "recurrent_kernel":
        return rng.normal(0, shape[0] ** -0.5, shape)
    if name in ("bias", "beta", "mean"):
        return rng.normal(0, 0.1, shape)
    if name in ("gamma", "variance"):
        return rng.uniform(0.5, 1.5, shape)
    return None


def randomise(model: keras.Model, scale: float) -> None:
    """Set every weight so that activations keep their size and the classes' probabilities differ by magnitudes.

    Batch-norm statistics lie near the true ones, and the last kernel gives logits of standard deviation LOGITS.
    """
    rng = np.random.default_rng(SEED)
    images = np.float32(scale) * rng.random((CALIBRATION_IMAGES, *model.input_shape[1:]), np.float32)
    for layer in model.layers:
        for variable in layer.weights:
            value = _random(variable.name, variable.shape, isinstance(layer, layers.DepthwiseConv2D), rng)
            if value is not None:
                variable.assign(value)
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    if norms:
        model(images, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        mean, variance = norm.moving_mean.numpy(), norm.moving_variance.numpy()
        norm.moving_mean.assign(mean + 0.1 * np.sqrt(variance) * rng.normal(size=mean.shape))
        norm.moving_variance.assign(variance * rng.uniform(0.8, 1.25, variance.shape) + 1e-3)
    head = next(layer for layer in reversed(model.layers) if isinstance(layer, layers.Dense))
    logits = keras.Model(model.inputs, head.input)(images).numpy() @ head.kernel.numpy()
    head.kernel.assign(head.kernel.numpy() * (LOGITS / logits.std()))


def main() -> None:
    """Command line: NAME FILE.h5 SCALE."""
    name, path, scale = sys.argv[1:]
    keras.utils.set_random_seed(SEED)
    model = BUILDERS[name]()
    randomise(model, float(scale))
    model.save(path)


if __name__ == "__main__":
    main()
