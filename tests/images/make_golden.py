"""What Keras and TensorFlow make of small images: `python make_golden.py FILE.npz [SEED]`, where both are installed.

For each name: `<name>.x` the input, `<name>.y` the output. `resize_<i>` is `tf.image.resize` to the shape of y, and
`preprocess_<mode>` is `keras.applications.imagenet_utils.preprocess_input`.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

SIZES = [
    ((1, 1), (3, 2)),
    ((2, 3), (7, 5)),
    ((5, 5), (5, 5)),
    ((28, 28), (10, 13)),
    ((9, 4), (1, 1)),
    ((17, 31), (32, 8)),
    ((40, 33), (28, 28)),
]


def main(path: str, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    arrays = {}
    for i, (size, wanted) in enumerate(SIZES):
        for channels in (1, 3):
            x = rng.integers(0, 256, (*size, channels), dtype=np.uint8)
            x = x if channels == 1 else (x + rng.uniform(0, 1, x.shape)).astype(np.float32)
            arrays[f"resize_{i}_{channels}.x"] = x
            arrays[f"resize_{i}_{channels}.y"] = tf.image.resize(x, wanted).numpy()
    for mode in ("tf", "caffe", "torch"):
        x = rng.uniform(0, 255, (4, 5, 3)).astype(np.float32)
        arrays[f"preprocess_{mode}.x"] = x.copy()
        arrays[f"preprocess_{mode}.y"] = keras.applications.imagenet_utils.preprocess_input(x, mode=mode)
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
