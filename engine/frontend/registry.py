"""The closed table of layers. Nothing that a file says can choose code outside it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.config import Config

LayerFunction: TypeAlias = Callable[[Call], int | tuple[int, ...]]

RUNS_CODE = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})

_HARMLESS = frozenset({"name", "trainable", "batch_shape", "dtype", "activity_regularizer", "seed"})
_HARMLESS_ENDINGS = ("_initializer", "_regularizer", "_constraint")


@dataclass(frozen=True)
class Entry:
    """How one class of layers becomes operations. `ignored` are configuration keys that change no result."""

    function: LayerFunction
    ignored: frozenset[str]

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.function.__doc__ or "").strip().split("\n")[0]


LAYERS: dict[str, Entry] = {}


def layer(*class_names: str, ignored: Iterable[str] = ()) -> Callable[[LayerFunction], LayerFunction]:
    """Enter a function into the table under Keras 3's names of the classes that it computes."""

    def enter(function: LayerFunction) -> LayerFunction:
        for name in class_names:
            assert name not in LAYERS, name
            LAYERS[name] = Entry(function, frozenset(ignored))
        return function

    return enter


def run_layer(class_name: str, call: Call) -> tuple[int, ...]:
    """Turn one call into operations; its output values. Options that nothing reads are refused, not ignored."""
    if class_name in RUNS_CODE:
        raise call.refuse("it holds program code, which is never run")
    entry = LAYERS.get(class_name)
    if entry is None:
        raise call.refuse("layers of this class are not supported")
    try:
        result = entry.function(call)
    except GraphError as error:
        raise GraphError(f"{call.config.where}: {error}") from None
    check_unread(call.config, entry.ignored)
    return result if isinstance(result, tuple) else (result,)


def check_unread(config: Config, ignored: Collection[str]) -> None:
    """Raise `UnsupportedLayerError` for an option that nothing has read, unless it is known to change no result."""
    for key in config.unread():
        known = key in _HARMLESS or key in ignored or key.endswith(_HARMLESS_ENDINGS)
        value = config.values[key]
        if not known and value not in (None, False, [], {}):
            raise config.refuse(f"option {key!r} = {repr(value)[:60]} is not supported")
