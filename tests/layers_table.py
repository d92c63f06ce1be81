"""Writes `docs/layers.md`: every layer and function that is computed, and the models from Keras that test it.

python -m tests.layers_table
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from engine.frontend import layers as _families  # noqa: F401  # fills the table of layers
from engine.frontend import operations as _functions  # noqa: F401  # fills the table of functions
from engine.frontend.dialects import DIALECTS
from engine.frontend.function_nodes import LAMBDAS
from engine.frontend.operations.table import OPERATIONS
from engine.frontend.registry import LAYERS
from tests.golden import models

PAGE = Path(__file__).parents[1] / "docs" / "layers.md"

HEAD = """# Layers

Every layer that is computed, by Keras 3's name; the names of older versions mean the same. *Keras* says with which
generations its test models were made, *cases* how many there are. Each case is a model that Keras made with random
weights, computed here, and compared with what Keras computed from the same numbers.

| layer | meaning | Keras | cases |
|---|---|---|---|
"""

FUNCTIONS = """
# Functions between layers

Nodes that call a function: Keras 3's `ops`, TensorFlow's functions in Keras 2 (`TFOpLambda`, `SlicingOpLambda`), and
TensorFlow's nodes (`TensorFlowOpLayer`, below with `raw.`). Axes count the batch; a function that mixes the examples of
a batch is refused.

| function | names | Keras | cases |
|---|---|---|---|
"""

Tested = dict[str, set[tuple[str, str]]]


def page() -> str:
    """The whole page."""
    tested = _tested()
    rows = [(f"`{name}`", LAYERS[name].summary, *_cases(tested[name])) for name in sorted(LAYERS)]
    functions = defaultdict(list)
    for name, entry in OPERATIONS.items():
        functions[entry.function].append(name)
    more = []
    for names in functions.values():
        cases = set().union(*(tested[f"function {name}"] for name in names))
        more.append((f"`{names[0]}`", " ".join(f"`{name}`" for name in sorted(names)), *_cases(cases)))
    return HEAD + _lines(rows) + FUNCTIONS + _lines(sorted(more))


def _lines(rows: list[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def _cases(found: set[tuple[str, str]]) -> tuple[str, str]:
    return ", ".join(sorted({generation.removeprefix("k") for generation, _ in found})), str(len(found))


def _tested() -> Tested:
    """For each layer, and each function by `function` and its name, the golden models that hold it."""
    found: Tested = defaultdict(set)
    for path in models():
        classes = DIALECTS[int(path.parent.name[1:])].classes
        with h5py.File(path) as file:
            config = json.loads(file.attrs["model_config"])
        for entry in _entries(config):
            name = entry["class_name"].rpartition(">")[2]
            values = entry["config"]
            if name in LAMBDAS:
                name = f"function {values.get('function')}"
            elif path.parent.name == "k3" and name in OPERATIONS and "trainable" not in values:
                name = f"function {name}"
            found[classes.get(name, name)].add((path.parent.name, path.stem))
    return found


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), dict):
            yield value
        for item in value.values():
            yield from _entries(item)
    elif isinstance(value, list):
        for item in value:
            yield from _entries(item)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
