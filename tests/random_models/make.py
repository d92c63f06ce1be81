"""Make random models with real Keras: for each seed the model in several formats, inputs and Keras's outputs.

    python tests/random_models/make.py OUT FIRST COUNT             # Keras 3
    python tests/random_models/make.py OUT FIRST COUNT --tf-keras  # Keras 2 as the package tf_keras

Values of the model on the way are outputs too, in the order in which they were made, so that the first one that
differs elsewhere tells the layer.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.random_models.catalogue import ATTENTION, MERGES, SINGLE, pick

BATCH = 2
LARGEST = 3000
FAILS = (ValueError, TypeError, NotImplementedError, ZeroDivisionError, AttributeError)


def _tensorflow() -> Any:
    import tensorflow

    return tensorflow


class Maker:
    """Draws one model. `tensors` are the values made so far, `layers` those that may be called again."""

    def __init__(self, keras: Any, rng: np.random.Generator, depth: int = 0) -> None:
        self.keras, self.rng, self.depth = keras, rng, depth
        self.tensors: list[Any] = []
        self.layers: list[tuple[Any, tuple[int, ...]]] = []

    def model(self, shapes: list[tuple[int, ...]] | None = None, steps: int = 0, outputs: int = 0) -> Any:
        """A model of some steps on inputs of these shapes."""
        shapes = shapes or [self.shape() for _ in range(pick(self.rng, 1, 1, 2, 3))]
        inputs = [self.input(shape) for shape in shapes]
        for _ in range(steps or int(self.rng.integers(4, 25))):
            self.step()
        made = self.tensors[len(self.first) :] or self.tensors
        chosen = made[-outputs:] if outputs else made
        return self.keras.Model(inputs if len(inputs) > 1 else inputs[0], chosen if len(chosen) > 1 else chosen[0])

    def shape(self) -> tuple[int, ...]:
        """The shape of an input."""
        rank = pick(self.rng, 1, 2, 2, 3, 3, 3, 4)
        return tuple(int(n) for n in self.rng.integers(3, 8, rank))

    def input(self, shape: tuple[int, ...]) -> Any:
        """An input; some sequences are rows of a table."""
        tensor = self.keras.Input(shape)
        self.tensors.append(tensor)
        if self.depth == 0 and len(shape) == 1 and self.rng.random() < 0.6:
            table = self.keras.layers.Embedding(
                9, int(self.rng.integers(2, 6)), mask_zero=bool(self.rng.random() < 0.7)
            )
            self.tensors.append(table(tensor))
        self.first = list(self.tensors)
        return tensor

    def step(self) -> None:
        """Add one value or none, where the drawn layer does not take the drawn value."""
        x = self.tensors[int(self.rng.integers(len(self.tensors)))]
        if self.rng.random() < 0.5:
            x = self.tensors[-1]
        way = self.rng.random()
        try:
            y = (
                self.nested(x)
                if way < 0.08 and self.depth < 2
                else self.joined(x)
                if way < 0.3
                else self.single(x, way)
            )
        except FAILS:
            return
        if y is not None and 0 < np.prod(y.shape[1:], dtype=np.int64) <= LARGEST:
            self.tensors.append(y)

    def single(self, x: Any, way: float) -> Any:
        """A layer of one value: a new one, or one that was called before; or an operator."""
        shape = tuple(x.shape[1:])
        known = [layer for layer, given in self.layers if given == shape]
        if known and way < 0.4:
            return known[int(self.rng.integers(len(known)))](x)
        if way < 0.47:
            return self.operator(x)
        layer = pick(self.rng, *SINGLE[len(shape)])(self.keras.layers, self.rng)
        if self.rng.random() < 0.2:
            layer.trainable = False
        y = layer(x)
        self.layers.append((layer, shape))
        return y

    def operator(self, x: Any) -> Any:
        """An operator or a function of a value."""
        functions = self.keras.ops if hasattr(self.keras, "ops") else _tensorflow()
        return pick(
            self.rng,
            lambda: functions.transpose(x, (0, *reversed(range(1, len(x.shape))))),
            lambda: functions.reshape(x, (-1, int(np.prod(x.shape[1:])))),
            lambda: functions.expand_dims(x, 1),
            lambda: functions.stack([x, x * 0.5], axis=-1),
            lambda: functions.abs(x) + functions.tanh(x),
            lambda: functions.maximum(x, 0.1),
            lambda: functions.where(x > 0.0, x, x * 0.3),
            lambda: functions.nn.relu(x),
            lambda: functions.nn.softmax(x, axis=-1),
            lambda: x[:, ::-1],
            lambda: x[:, None],
            lambda: x[:, 0],
            lambda: x * 2.0,
            lambda: 1.5 - x,
            lambda: x / 3.0 + x,
            lambda: -x,
            lambda: x[:, 1:],
            lambda: x[..., 0:2],
            lambda: x * x,
        )()

    def joined(self, x: Any) -> Any:
        """A layer of two values."""
        shape = tuple(x.shape[1:])
        same = [t for t in self.tensors if tuple(t.shape[1:]) == shape]
        other = same[int(self.rng.integers(len(same)))]
        table = ATTENTION if len(shape) == 2 and self.rng.random() < 0.4 else MERGES
        layer = pick(self.rng, *table)(self.keras.layers, self.rng)
        return layer(x, other) if "MultiHead" in type(layer).__name__ else layer([x, other])

    def nested(self, x: Any) -> Any:
        """A model of its own, called on a value, perhaps once for each step of a sequence."""
        shape = tuple(x.shape[1:])
        if self.rng.random() < 0.3:
            first = pick(self.rng, *SINGLE[len(shape)])(self.keras.layers, self.rng)
            model = self.keras.Sequential([self.keras.layers.InputLayer(shape), first, self.keras.layers.Dense(3)])
        elif self.rng.random() < 0.3 and len(shape) > 1:
            inner = Maker(self.keras, self.rng, self.depth + 1).model([shape[1:]], 3, 1)
            return self.keras.layers.TimeDistributed(inner)(x)
        else:
            model = Maker(self.keras, self.rng, self.depth + 1).model([shape], 4, 1)
        if self.rng.random() < 0.25:
            model.trainable = False
        self.layers.append((model, shape))
        return model(x)


def draw_weights(model: Any, rng: np.random.Generator) -> None:
    """Replace every weight by small numbers; variances are positive."""
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        name = str(getattr(variable, "path", variable.name))
        if value.dtype.kind != "f":
            values.append(value)
        elif "variance" in name:
            values.append(rng.uniform(0.5, 2.0, value.shape).astype(value.dtype))
        else:
            values.append(rng.normal(0.0, 0.4, value.shape).astype(value.dtype))
    model.set_weights(values)


def make(keras: Any, seed: int, folder: Path) -> None:
    """Write one model's files."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = Maker(keras, rng).model()
    draw_weights(model, rng)
    inputs = [rng.normal(0.0, 1.0, (BATCH, *t.shape[1:])).astype(np.float32) for t in model.inputs]
    inputs = [np.floor(np.abs(x) * 3) if x.ndim == 2 else x for x in inputs]
    if inputs[0].ndim == 3:
        inputs[0][:, -1] = 0.0
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    arrays = {f"x{i}": x for i, x in enumerate(inputs)} | {f"y{i}": np.asarray(y) for i, y in enumerate(outputs)}
    np.savez(folder / f"{seed}.npz", **arrays)
    model.save(folder / f"{seed}.h5")
    model.save(folder / f"{seed}.keras")
    (folder / f"{seed}.json").write_text(model.to_json())
    if keras.__version__.startswith("2"):
        model.save_weights(folder / f"{seed}.only.h5")
        keras.src.saving.saving_lib.save_weights_only(model, folder / f"{seed}.weights.h5")
    else:
        model.save_weights(folder / f"{seed}.weights.h5")


def main() -> None:
    """Parse the command line and make the models of the seeds that it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--tf-keras", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    warnings.filterwarnings("ignore")
    if options.tf_keras:
        import tf_keras as keras
    else:
        import keras
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in range(options.first, options.first + options.count):
        try:
            make(keras, seed, options.out)
        except Exception as error:  # a model that Keras itself cannot compute or save is no case
            print(f"{seed}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)


if __name__ == "__main__":
    main()
