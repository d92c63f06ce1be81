"""Make the golden files with real Keras: for each case a legacy `.h5` and a `.npz` with inputs and Keras's outputs.

    python tests/golden/make.py OUT             # Keras 3, into OUT/k3
    python tests/golden/make.py OUT --tf-keras  # Keras 2 as the package tf_keras, into OUT/k2
    python tests/golden/make.py OUT --only 'conv2d_*'

A few are saved in other formats too, in OUT/other.
Everything is drawn from a generator seeded by the case's name, so a second run writes the same numbers. The `.npz`
holds x0, x1 … and y0, y1 … (float32, in Keras's flattened order) and `weights0` … as `get_weights()` returns them
for each layer with weights, in the order of `model.layers`, joined.
"""

import argparse
import fnmatch
import os
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.golden.cases import CASES, Case
from tests.golden.formats import KERAS, SHARDS, WEIGHTS
from tests.golden.quantised import QUANTISED, make_quantised

BATCH = 3
SHARD = 2e-6


def draw_weights(model: Any, rng: np.random.Generator) -> None:
    """Replace every weight; variances and scales stay positive, counters stay."""
    for layer in model.layers:
        drawn = []
        for variable, value in zip(layer.weights, layer.get_weights(), strict=True):
            name = str(getattr(variable, "path", variable.name))
            if value.dtype.kind != "f":
                drawn.append(value)
            elif "variance" in name:
                drawn.append(rng.uniform(0.2, 3.0, value.shape).astype(value.dtype))
            else:
                drawn.append(rng.normal(0.0, 0.6, value.shape).astype(value.dtype))
        layer.set_weights(drawn)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def as_fed(model: Any, inputs: list[np.ndarray]) -> Any:
    """The inputs in the structure that the model is called with."""
    structure = getattr(model, "input", None)
    if isinstance(structure, dict):
        names = [tensor.name for tensor in model.inputs]
        return {key: inputs[names.index(tensor.name)] for key, tensor in structure.items()}
    return inputs if len(inputs) > 1 else inputs[0]


def flat(keras: Any, tensors: Any) -> list[np.ndarray]:
    """Outputs in the order in which Keras flattens them."""
    if isinstance(tensors, dict):
        return [np.asarray(tensors[key]) for key in sorted(tensors)]
    return [np.asarray(t) for t in (tensors if isinstance(tensors, list | tuple) else [tensors])]


def save_otherwise(keras: Any, model: Any, name: str, folder: Path) -> None:
    """Save a model in the further formats that `formats.py` lists it for."""
    folder = folder.parent / "other" / folder.name
    folder.mkdir(parents=True, exist_ok=True)
    if name in KERAS:
        model.save(folder / f"{name}.keras")
    if name in WEIGHTS:
        if keras.__version__.startswith("2"):
            keras.src.saving.saving_lib.save_weights_only(model, folder / f"{name}.weights.h5")
        else:
            model.save_weights(folder / f"{name}.weights.h5")
    if name in SHARDS and keras.__version__.startswith("3"):
        model.save_weights(folder / f"{name}.weights.json", max_shard_size=SHARD)


def make(keras: Any, name: str, case: Case, folder: Path) -> None:
    """Write one case's two files."""
    keras.backend.clear_session()
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    model = case.build(keras)
    draw_weights(model, rng)
    shapes = [tuple(t.shape)[1:] for t in model.inputs]
    inputs = [case.draw(rng, (BATCH, *shape)).astype(np.float32) for shape in shapes]
    outputs = flat(keras, model(as_fed(model, inputs), training=False))
    weights = [w for layer in model.layers for w in layer.get_weights()]
    arrays = {f"x{i}": x for i, x in enumerate(inputs)} | {f"y{i}": y for i, y in enumerate(outputs)}
    arrays |= {f"weights{i}": w for i, w in enumerate(weights)}
    model.save(folder / f"{name}.h5")
    save_otherwise(keras, model, name, folder)
    np.savez_compressed(folder / f"{name}.npz", **arrays)


def main() -> None:
    """Parse the command line and make every case of the generation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tf-keras", action="store_true")
    parser.add_argument("--only", default="*")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.filterwarnings("ignore", message="You are saving your model as an HDF5 file")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    if options.tf_keras:
        import tf_keras as keras
    else:
        import keras
    generation = int(keras.__version__.partition(".")[0])
    folder = options.out / f"k{generation}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        if generation in case.generations and fnmatch.fnmatch(name, options.only):
            make(keras, name, case, folder)
    for name, (mode, layers) in QUANTISED.items() if generation == 3 else ():
        if fnmatch.fnmatch(name, options.only):
            make_quantised(keras, name, mode, layers, options.out / "other" / "quantised")


if __name__ == "__main__":
    main()
