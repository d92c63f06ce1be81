"""Train mnist.h5 (convolutional) and mnist_dense.h5 on MNIST with Keras 3, and print their test accuracy."""

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers, ops
from mnist_data import HERE, MODELS, keras_cache, parser, report, split

SEED = 20
BATCH = 128
VALIDATION = 5000
EPOCHS = {"mnist": 10, "mnist_dense": 20}
DISTORTION = {"mnist": 1.0, "mnist_dense": 0.3}


def convolutional() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu", kernel_initializer="glorot_uniform", name="conv1"),
            layers.Conv2D(64, 3, padding="same", activation="relu", kernel_initializer="he_normal", name="conv2"),
            layers.MaxPooling2D(2, strides=2, name="pool1"),
            layers.Dropout(0.25, name="dropout1"),
            layers.Conv2D(128, 3, padding="same", activation="relu", name="conv3"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="fc1"),
            layers.Dropout(0.5, name="dropout2"),
            layers.Dense(10, name="logits"),
        ],
        name="mnist",
    )


def dense() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="fc1"),
            layers.Dense(10, name="logits"),
        ],
        name="mnist_dense",
    )


BUILD = {"mnist": convolutional, "mnist_dense": dense}


def compile_with(model: keras.Sequential, learning_rate: Any) -> None:
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def distorted(images: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Each image with its strokes made thicker or thinner, then rotated, slanted, scaled and shifted at random.

    At strength 1 the limits are 60 % of the way to the 3x3 maximum or minimum, 0.26 rad, 0.3, 20 % and 3 pixels.
    """

    def uniform(limit: float) -> np.ndarray:
        return rng.uniform(-limit, limit, len(images)) * strength

    grow = uniform(0.6).astype(np.float32)[:, None, None, None]
    thickest = ops.max_pool(images, 3, 1, "same")
    thinnest = -ops.max_pool(-images, 3, 1, "same")
    images = images + ops.where(grow > 0, grow * (thickest - images), -grow * (thinnest - images))

    angle, slant = uniform(0.26), uniform(0.3)
    width, height = 1 + uniform(0.2), 1 + uniform(0.2)
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = cos / width, (slant * cos - sin) / width
    c, d = sin / height, (slant * sin + cos) / height
    middle = 13.5
    right = middle - (a + b) * middle + uniform(3)
    down = middle - (c + d) * middle + uniform(3)
    zero = np.zeros_like(a)
    matrix = np.stack([a, b, right, c, d, down, zero, zero], axis=1).astype(np.float32)
    return ops.convert_to_numpy(ops.image.affine_transform(images, matrix, "bilinear", "constant"))


class Batches(keras.utils.PyDataset):
    """Shuffled batches, distorted anew in each epoch."""

    def __init__(self, images: np.ndarray, digits: np.ndarray, strength: float) -> None:
        super().__init__()
        self.images, self.digits, self.strength = images, digits, strength
        self.epoch = 0
        self.on_epoch_begin()

    def __len__(self) -> int:
        return len(self.images) // BATCH

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        rng = np.random.default_rng([SEED, self.epoch, index])
        return distorted(self.images[rows], self.strength, rng), self.digits[rows]

    def on_epoch_begin(self) -> None:
        self.order = np.random.default_rng([SEED, self.epoch]).permutation(len(self.images))

    def on_epoch_end(self) -> None:
        self.epoch += 1


def train(name: str, images: np.ndarray, digits: np.ndarray) -> keras.Sequential:
    """The model after its last epoch; the last 5,000 training images only measure it on the way."""
    keras.utils.set_random_seed(SEED)
    model = BUILD[name]()
    batches = Batches(images[:-VALIDATION], digits[:-VALIDATION], DISTORTION[name])
    steps = EPOCHS[name] * len(batches)
    compile_with(model, keras.optimizers.schedules.CosineDecay(1e-3, steps))
    held_out = images[-VALIDATION:], digits[-VALIDATION:]
    model.fit(batches, epochs=EPOCHS[name], validation_data=held_out, shuffle=False, verbose=2)
    return model


def save(name: str, weights: list[np.ndarray], path: Path) -> None:
    """Keras's HDF5 format with the training configuration, without the optimizer's state.

    A model built and compiled afresh has no moments; Keras still writes the step count and the rate, which go.
    """
    keras.utils.clear_session()
    model = BUILD[name]()
    model.set_weights(weights)
    compile_with(model, 1e-3)
    model.save(path)
    with h5py.File(path, "r+") as file:
        del file["optimizer_weights"]


def main() -> None:
    command = parser(__doc__)
    command.add_argument("--model", choices=MODELS, help="default: both")
    options = command.parse_args()
    if options.data == keras_cache():
        keras.datasets.mnist.load_data()
    images, digits = split(options.data, "train")
    test_images, test_digits = split(options.data, "test")
    for name in [options.model] if options.model else MODELS:
        path = HERE / f"{name}.h5"
        save(name, train(name, images, digits).get_weights(), path)
        saved = keras.models.load_model(path)
        print(report(path, saved.predict(test_images, verbose=0), test_digits))


if __name__ == "__main__":
    main()
