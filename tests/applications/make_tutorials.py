"""Classifiers as tutorials build them on keras.applications: `python make_tutorials.py FOLDER [--tf-keras]`.

Each is saved as `<name>.h5`; `<name>.npz` has photographs `x` (n, h, w, 3), uint8, and `y`, what the tutorial's own
script answers for them. Weights are drawn from a seed.
"""

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.applications.make import randomise

SIDE = 96
SEED = 3


def main(folder: Path, keras: Any) -> None:
    keras.utils.set_random_seed(SEED)
    coarse = np.random.default_rng(SEED).integers(0, 256, (4, 6, 6, 3), dtype=np.uint8)
    x = coarse.repeat(SIDE // 6, axis=1).repeat(SIDE // 6, axis=2)
    for name, (model, prepare) in models(keras, x.astype(np.float32)).items():
        fed = prepare(x.astype(np.float32))
        spread_out(model, fed)
        model.save(folder / f"{name}.h5")
        np.savez(folder / f"{name}.npz", x=x, y=model.predict(fed, verbose=0))


def spread_out(model: Any, fed: np.ndarray) -> None:
    """Scale the last kernel and choose the bias such that the images get different answers around equal ones."""
    logits = np.log(model.predict(fed, verbose=0))
    logits -= logits.mean(axis=1, keepdims=True)
    scale = 0.05 / logits.std(axis=0).mean()
    kernel, _ = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * scale, -logits.mean(axis=0) * scale])


def models(keras: Any, x: np.ndarray) -> dict[str, tuple[Any, Callable[[np.ndarray], np.ndarray]]]:
    """The models by name, each with what its tutorial does to an image before `predict`."""
    apps, layers = keras.applications, keras.layers

    def drawn(model: Any, images: np.ndarray) -> Any:
        randomise(model, images, np.random.default_rng(SEED))
        return model

    def base() -> Any:
        model = apps.MobileNetV2(input_shape=(SIDE, SIDE, 3), include_top=False, weights=None, alpha=0.35)
        return drawn(model, x / 127.5 - 1)

    def headed(inputs: Any, features: Any) -> Any:
        pooled = layers.GlobalAveragePooling2D()(features)
        return keras.Model(inputs, layers.Dense(5, activation="softmax")(pooled))

    def baked(scale: Callable[[Any], Any]) -> Any:
        inputs = keras.Input((SIDE, SIDE, 3))
        return headed(inputs, base()(scale(inputs), training=False))

    def raw(x: np.ndarray) -> np.ndarray:
        return x

    outside = apps.mobilenet_v2.preprocess_input
    flat = base()
    inside = drawn(apps.MobileNetV3Small(input_shape=(SIDE, SIDE, 3), include_top=False, weights=None), x)
    return {
        "baked_tf": (baked(apps.mobilenet_v2.preprocess_input), raw),
        "baked_caffe": (baked(apps.vgg16.preprocess_input), raw),
        "baked_torch": (baked(apps.densenet.preprocess_input), raw),
        "baked_rescaling": (baked(layers.Rescaling(1 / 127.5, offset=-1)), raw),
        "outside": (baked(raw), outside),
        "outside_own_layers": (headed(flat.input, flat.output), outside),
        "inside_own_layers": (headed(inside.input, inside.output), raw),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tf-keras", action="store_true")
    options = parser.parse_args()
    main(options.folder, importlib.import_module("tf_keras" if options.tf_keras else "keras"))
