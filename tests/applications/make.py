"""Make models of keras.applications with random weights, in every form of Keras, each with its x and Keras's y.

    python tests/applications/make.py OUT NAME...             # Keras 3
    python tests/applications/make.py OUT NAME... --tf-keras  # Keras 2 as the package tf_keras
    python tests/applications/make.py OUT NAME... --all       # more than the model and its weights

There are `NAME.h5` and `NAME.weights.h5`. With `--all` there are also `NAME.keras`, `NAME.json` and, of tf_keras,
`NAME.only.h5` with weights layer by layer; `NAME.features.h5` without its top for images of any size (NASNet's: of
another); and `NAME.first.h5` with channels first, where Keras builds it. TensorFlow does not compute that on a CPU: its
y is that of the same weights with channels last.

Biases, scales and shifts are drawn, statistics of batch normalization are those of random images, drawn around; with
variances a little larger than measured, since random networks of exact ones magnify every rounding a thousandfold.
"""

import argparse
import os
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.applications.families import FAMILIES

CLASSES = 10
IMAGES = 8
BATCH = 2
LOGITS = 2.0


def draw(name: str, value: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """New values for a weight; None where it keeps those that its initializer drew."""
    if "gamma" in name:
        return rng.uniform(0.4, 1.6, value.shape)
    if "beta" in name or "bias" in name:
        return rng.normal(0.0, 0.2, value.shape)
    return None


def randomise(model: Any, images: np.ndarray, rng: np.random.Generator) -> None:
    """Draw weights and statistics such that values keep a common size through all layers."""
    for layer in model.layers:
        values = []
        for variable, value in zip(layer.weights, layer.get_weights(), strict=True):
            drawn = draw(str(getattr(variable, "path", variable.name)), value, rng)
            values.append(value if drawn is None else drawn.astype(value.dtype))
        if values:
            layer.set_weights(values)
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    if norms:
        model(images, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        *others, mean, variance = norm.get_weights()
        mean = mean + 0.1 * np.sqrt(variance) * rng.normal(size=mean.shape)
        variance = variance * rng.uniform(1.2, 2.0, variance.shape) + 1e-3
        norm.set_weights([*others, mean.astype(np.float32), variance.astype(np.float32)])


def make(keras: Any, name: str, folder: Path, everything: bool) -> None:
    """Write one model's files. Its last kernel is scaled such that logits have a common size."""
    keras.backend.clear_session()
    seed = zlib.crc32(name.encode())
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    size = FAMILIES[name]
    build = getattr(keras.applications, name)
    options = {"weights": None, "classes": CLASSES, "classifier_activation": None}
    model = build(input_shape=(size, size, 3), **options)
    images = rng.uniform(0, 255, (IMAGES, size, size, 3)).astype(np.float32)
    randomise(model, images, rng)
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    last.set_weights([w * (LOGITS / np.std(model(images, training=False))) for w in last.get_weights()])
    x = images[:BATCH]
    y = np.asarray(model(x, training=False))
    np.savez(folder / f"{name}.npz", x=x, y=y)
    model.save(folder / f"{name}.h5")
    save_weights(keras, model, folder / name)
    if everything:
        save_otherwise(keras, model, folder / name)
        wide = rng.uniform(0, 255, (IMAGES, size + 32, size + 64, 3)).astype(np.float32)
        sizes = wide.shape[1:3] if name.startswith("NASNet") else (None, None)
        features = build(input_shape=(*sizes, 3), weights=None, include_top=False, pooling="avg")
        save_features(features, wide, folder / name, rng)
        save_channels_first(keras, lambda: build(input_shape=(3, size, size), **options), model, folder / name)


def save_weights(keras: Any, model: Any, path: Path) -> None:
    """Save the weights alone, as a tree of layers."""
    if keras.__version__.startswith("2"):
        keras.src.saving.saving_lib.save_weights_only(model, f"{path}.weights.h5")
    else:
        model.save_weights(f"{path}.weights.h5")


def save_otherwise(keras: Any, model: Any, path: Path) -> None:
    """Save the whole model in further formats, and its description."""
    model.save(f"{path}.keras")
    Path(f"{path}.json").write_text(model.to_json())
    if keras.__version__.startswith("2"):
        model.save_weights(f"{path}.only.h5")


def save_features(model: Any, images: np.ndarray, path: Path, rng: np.random.Generator) -> None:
    """Save a model without its top, and its answers to images of another size."""
    randomise(model, images, rng)
    x = images[:BATCH]
    np.savez(f"{path}.features.npz", x=x, y=np.asarray(model(x, training=False)))
    model.save(f"{path}.features.h5")


def save_channels_first(keras: Any, build: Callable[[], Any], model: Any, path: Path) -> None:
    """Save the model's twin with channels first; nothing where Keras cannot build it."""
    keras.backend.set_image_data_format("channels_first")
    try:
        twin = build()
        take_weights(twin, model)
        twin.save(f"{path}.first.h5")
    except Exception as error:  # whatever Keras raises, it does not define this model so
        print(f"{path.name}: no channels first: {type(error).__name__}", file=sys.stderr)
    finally:
        keras.backend.set_image_data_format("channels_last")


def take_weights(model: Any, other: Any) -> None:
    """Give a model the weights of another of the same layers."""
    given = (layer.get_weights() for layer in other.layers if layer.weights)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(next(given))


def main() -> None:
    """Parse the command line and make every model that it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="+", choices=FAMILIES)
    parser.add_argument("--tf-keras", action="store_true")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    warnings.filterwarnings("ignore", message="You are saving your model as an HDF5 file")
    if options.tf_keras:
        import tf_keras as keras
    else:
        import keras
    for name in options.names:
        make(keras, name, options.out, options.all)


if __name__ == "__main__":
    main()
