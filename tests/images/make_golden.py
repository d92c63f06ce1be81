"""What Keras, TensorFlow and Pillow make of small images: `python make_golden.py FILE.npz [SEED]`, where all are.

For each name `<name>.y` is the output; the input is named as the output, but for `image` in place of its first word and
x for y. `<way>_<i>_<channels>` is a resize to the shape of y: `tf` by `tf.image.resize` of 0.7 x, in float32;
`keras`, `crop` and `pad` by `image_dataset_from_directory` of a PNG; `nearest` by `load_img` of a PNG; `lanczos-fit` by
`ImageOps.fit` on what `load_img` gives. `preprocess_<mode>` is `keras.applications.imagenet_utils.preprocess_input`.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

SIZES = [
    ((1, 1), (3, 2)),
    ((2, 3), (7, 5)),
    ((5, 5), (5, 5)),
    ((28, 28), (10, 13)),
    ((9, 4), (1, 1)),
    ((17, 31), (32, 8)),
    ((40, 33), (28, 28)),
    ((37, 64), (24, 24)),
    ((61, 23), (16, 29)),
]


def loaded(path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    mode = {1: "grayscale", 3: "rgb"}[channels]
    return keras.utils.img_to_array(keras.utils.load_img(path, color_mode=mode, target_size=size))


def fitted(path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    image = keras.utils.load_img(path, color_mode={1: "grayscale", 3: "rgb"}[channels])
    return keras.utils.img_to_array(ImageOps.fit(image, size[::-1], Image.Resampling.LANCZOS))


def from_directory(**options: bool) -> Callable[[Path, tuple[int, int], int], np.ndarray]:
    def load(path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
        mode = {1: "grayscale", 3: "rgb"}[channels]
        dataset = keras.utils.image_dataset_from_directory(
            path.parent, labels=None, color_mode=mode, image_size=size, shuffle=False, verbose=False, **options
        )
        return next(iter(dataset)).numpy()[0]

    return load


LOADERS = {
    "keras": from_directory(),
    "crop": from_directory(crop_to_aspect_ratio=True),
    "pad": from_directory(pad_to_aspect_ratio=True),
    "nearest": loaded,
    "lanczos-fit": fitted,
}


def main(path: str, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    arrays = {}
    for i, (size, wanted) in enumerate(SIZES):
        for channels in (1, 3):
            x = arrays[f"image_{i}_{channels}.x"] = rng.integers(0, 256, (*size, channels), dtype=np.uint8)
            for way, load in LOADERS.items():
                if way == "pad" and wanted == (1, 1):
                    continue  # TensorFlow fails where one side vanishes
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "x.png"
                    Image.fromarray(x[..., 0] if channels == 1 else x).save(file)
                    arrays[f"{way}_{i}_{channels}.y"] = load(file, wanted, channels)
            arrays[f"tf_{i}_{channels}.y"] = tf.image.resize(x * np.float32(0.7), wanted).numpy()
    for mode in ("tf", "caffe", "torch"):
        x = rng.uniform(0, 255, (4, 5, 3)).astype(np.float32)
        arrays[f"image_{mode}.x"] = x.copy()
        arrays[f"preprocess_{mode}.y"] = keras.applications.imagenet_utils.preprocess_input(x, mode=mode)
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
