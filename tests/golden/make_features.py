"""Write what Keras computes at every layer of some golden models: `python -m tests.golden.make_features GENERATION`.

GENERATION is 2 (needs tf_keras) or 3 (needs keras). The arrays go to `features_k2.npz` or `features_k3.npz`, by
`case/layer/number`; a layer with several results has several numbers.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parent
NAMES = (
    "activation_inside_conv2d", "bidirectional_states", "dropout_family", "embedding_mask_through_layers",
    "functional_many_outputs", "functional_residual", "functional_shared_layer", "functional_shared_model",
    "lstm_states", "nested_first", "nested_functional_called_twice", "nested_sequential", "time_distributed_dense",
)  # fmt: skip


def inputs_of(path: Path) -> list[np.ndarray]:
    """The inputs that the case was made with."""
    with np.load(path.with_suffix(".npz")) as arrays:
        return [arrays[f"x{i}"] for i in range(sum(key.startswith("x") for key in arrays))]


def features(keras: Any, path: Path) -> dict[str, np.ndarray]:
    """The results of each layer that Keras makes a model to."""
    model, inputs = keras.models.load_model(path, compile=False), inputs_of(path)
    found = {}
    for layer in model.layers:
        try:
            output = layer.get_output_at(0) if hasattr(layer, "get_output_at") else layer.output
            answer = keras.Model(model.inputs, output)(inputs if len(inputs) > 1 else inputs[0], training=False)
        except ValueError as error:
            print(f"{path.stem}: {layer.name}: {str(error).splitlines()[0]}")
            continue
        for i, array in enumerate(answer if isinstance(answer, list | tuple) else [answer]):
            found[f"{path.stem}/{layer.name}/{i}"] = np.asarray(array)
    return found


def main() -> None:
    """Make the file of the generation named on the command line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    generation = sys.argv[1]
    keras = __import__("tf_keras" if generation == "2" else "keras")
    arrays: dict[str, np.ndarray] = {}
    for name in NAMES:
        path = GOLDEN / f"k{generation}" / f"{name}.h5"
        if path.exists():
            arrays |= features(keras, path)
    np.savez_compressed(GOLDEN / f"features_k{generation}.npz", **arrays)


if __name__ == "__main__":
    main()
