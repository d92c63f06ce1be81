"""Shapes of real nets, for timing kernels on: `bench/shapes/<net>.json` has each different operation of a net once.

`python -m bench.nets` writes them from the model files of `bench.models`, as they are after all passes.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.models import MODELS, ROOT, BuildError, Spec, model_file
from engine.frontend import open_model
from engine.ir import ops
from engine.ir.ops import Activation, Identity, Op, Reshape, Shape
from engine.passes import optimise

FOLDER = ROOT / "bench" / "shapes"


class Site(NamedTuple):
    """An operation of a net: the first layer that it stands for, its operands' shapes, how often the net has it."""

    layer: str
    op: Op
    values: tuple[Shape, ...]
    weights: tuple[Shape, ...]
    times: int


def sites(path: Path) -> list[Site]:
    """The different operations of a model file, in their order."""
    found: dict[tuple[Any, ...], Site] = {}
    with open_model(path) as network:
        graph = optimise(network.graph)
        for node in graph.nodes:
            if isinstance(node.op, Reshape | Identity):
                continue
            values = tuple(graph.shapes[v] for v in node.values)
            weights = tuple(w.shape for w in node.weights)
            key = node.op, values, weights
            layer, times = (found[key].layer, found[key].times) if key in found else (node.layer, 0)
            found[key] = Site(layer, node.op, values, weights, times + 1)
    return list(found.values())


def stored() -> Iterator[tuple[str, Site]]:
    """The name of the net, and the operation, for all that is in the folder."""
    for path in sorted(FOLDER.glob("*.json")):
        for entry in json.loads(path.read_text()):
            op = _op(entry["op"])
            values, weights = (tuple(map(tuple, entry[name])) for name in ("values", "weights"))
            yield path.stem, Site(entry["layer"], op, values, weights, entry["times"])


def write(spec: Spec) -> Path:
    """Write the shapes of one model. Raises BuildError."""
    found = [site._asdict() | {"op": _plain(site.op)} for site in sites(model_file(spec, "h5", 1))]
    path = FOLDER / f"{spec.name}.json"
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(entry) for entry in found)
    path.write_text(f"[\n{lines}\n]\n")
    return path


def _plain(op: Op) -> dict[str, Any]:
    return {"class": type(op).__name__, **_changed(op)}


def _changed(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults."""
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    defaults = {field.name: field.default for field in dataclasses.fields(value)}
    changed = {name: found for name, found in fields.items() if found != defaults[name]}
    return {name: _changed(found) if isinstance(found, Activation) else found for name, found in changed.items()}


def _op(plain: Mapping[str, Any]) -> Op:
    made: Op = getattr(ops, plain["class"])(**{name: _value(v) for name, v in plain.items() if name != "class"})
    return made


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return Activation(**value)
    return tuple(map(_value, value)) if isinstance(value, list) else value


def main() -> int:
    """Command line; exit status 1 if a model's file could not be made."""
    parser = argparse.ArgumentParser(prog="python -m bench.nets", description=__doc__)
    names = [spec.name for spec in MODELS]
    parser.add_argument("--models", nargs="+", choices=names, default=names)
    options = parser.parse_args()
    failed = 0
    for spec in MODELS:
        if spec.name in options.models:
            try:
                print(write(spec))
            except BuildError as error:
                failed = 1
                print(f"{spec.name}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
