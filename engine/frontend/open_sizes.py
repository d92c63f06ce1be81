"""Inputs whose sizes the file leaves open: which shapes fit them, and which sizes of results are open too."""

from collections.abc import Sequence
from typing import TypeAlias

from engine.errors import InputError, ModelFileError
from engine.frontend.config import Config
from engine.frontend.spec import LayerSpec, ModelSpec
from engine.ir.ops import Shape

OpenShape: TypeAlias = tuple[int | None, ...]

_TRIED = {1: (64, 96), 2: (64, 96), 3: (128, 160)}
_TRIED_VOLUMES = (32, 48)
"""Sizes that open ones are given, by the number of axes, to learn what follows from them: many times divisible by 2."""


def declared_shapes(model: ModelSpec) -> tuple[OpenShape, ...]:
    """The shapes of one example of each input, None where the file leaves a size open."""
    layers = {layer.name: layer for layer in model.layers}
    return tuple(_declared(layers[name]) for name in model.inputs)


def _declared(layer: LayerSpec) -> OpenShape:
    shape = layer.config.get("batch_shape")
    if shape is None:
        raise ModelFileError(f"input {layer.name!r}: the file does not say its shape")
    if not isinstance(shape, list) or not shape:
        raise ModelFileError(f"input {layer.name!r}: its shape is not understood: {repr(shape)[:80]}")
    given = [size for size in shape[1:] if size is not None]
    sizes = iter(Config({"batch_shape": given}, f"input {layer.name!r}").integers("batch_shape", low=1))
    return tuple(None if size is None else next(sizes) for size in shape[1:])


def input_shape(layer: LayerSpec) -> Shape:
    """A shape that one example of an input may have: open sizes are given one that is tried first."""
    return tried([_declared(layer)], 0)[0]


def is_open(shapes: Sequence[OpenShape]) -> bool:
    """Whether any size is left open."""
    return any(None in shape for shape in shapes)


def tried(shapes: Sequence[OpenShape], turn: int) -> list[Shape]:
    """The shapes with sizes in place of open ones, others in the second turn than in the first."""
    return [_filled(shape, _TRIED.get(len(shape), _TRIED_VOLUMES)[turn]) for shape in shapes]


def _filled(shape: OpenShape, size: int) -> Shape:
    return tuple(size if given is None else given for given in shape)


def common(a: Shape, b: Shape) -> OpenShape:
    """What two shapes share; None where they differ."""
    return tuple(x if x == y else None for x, y in zip(a, b, strict=True)) if len(a) == len(b) else (None,) * len(a)


def check_fit(names: Sequence[str], declared: Sequence[OpenShape], given: Sequence[Shape]) -> None:
    """Raise `InputError` where a shape is not one that the file allows."""
    for name, wanted, found in zip(names, declared, given, strict=True):
        if not fits(wanted, found):
            raise InputError(f"input {name!r}: expected shape {shown(wanted)}, found {shown(found)}")


def fits(wanted: OpenShape, found: Shape) -> bool:
    """Whether a shape has the sizes that are not open."""
    return len(wanted) == len(found) and all(w in (None, f) and f > 0 for w, f in zip(wanted, found, strict=True))


def shown(shape: OpenShape) -> str:
    """`(n, None, 4)`."""
    return f"({', '.join(['n', *map(str, shape)])})"
