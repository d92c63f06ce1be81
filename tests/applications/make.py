"""Make models of keras.applications with random weights: for each a legacy `.h5`, and a `.npz` with x and Keras's y.

    python tests/applications/make.py OUT NAME...             # Keras 3
    python tests/applications/make.py OUT NAME... --tf-keras  # Keras 2 as the package tf_keras

Biases, scales and shifts are drawn, statistics of batch normalization are those of random images, drawn around; with
variances a little larger than measured, since random networks of exact ones magnify every rounding a thousandfold.
"""

import argparse
import os
import sys
import warnings
import zlib
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


def make(keras: Any, name: str, folder: Path) -> None:
    """Write one model's two files. Its last kernel is scaled such that logits have a common size."""
    keras.backend.clear_session()
    seed = zlib.crc32(name.encode())
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    size = FAMILIES[name]
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None)
    images = rng.uniform(0, 255, (IMAGES, size, size, 3)).astype(np.float32)
    randomise(model, images, rng)
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    last.set_weights([w * (LOGITS / np.std(model(images, training=False))) for w in last.get_weights()])
    x = images[:BATCH]
    np.savez(folder / f"{name}.npz", x=x, y=np.asarray(model(x, training=False)))
    model.save(folder / f"{name}.h5")


def main() -> None:
    """Parse the command line and make every model that it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="+", choices=FAMILIES)
    parser.add_argument("--tf-keras", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    warnings.filterwarnings("ignore", message="You are saving your model as an HDF5 file")
    if options.tf_keras:
        import tf_keras as keras
    else:
        import keras
    for name in options.names:
        make(keras, name, options.out)


if __name__ == "__main__":
    main()
