"""The closed table of layers. Nothing that a file says can choose code outside it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from engine.errors import EngineError, GraphError, InputError, LimitExceededError, ModelFileError
from engine.frontend.call import Call
from engine.frontend.config import Config

LayerFunction: TypeAlias = Callable[[Call], int | tuple[int, ...]]

RUNS_CODE = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})

_HARMLESS = frozenset({
    "activity_regularizer", "batch_shape", "dtype", "name", "quantization_config", "seed", "trainable",
})  # fmt: skip
_HARMLESS_ENDINGS = ("_initializer", "_regularizer", "_constraint")

UNEXPECTED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What values that no Keras writes may raise in a function that did not think of them."""


def not_understood(where: str, error: Exception) -> ModelFileError:
    """The error of ours for one of `UNEXPECTED`."""
    return ModelFileError(f"{where}: its configuration is not understood: {type(error).__name__}: {error}"[:400])


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
CUSTOM: dict[str, LayerFunction] = {}
"""The user's own layers by class name."""


def layer(*class_names: str, ignored: Iterable[str] = ()) -> Callable[[LayerFunction], LayerFunction]:
    """Enter a function into the table under Keras 3's names of the classes that it computes."""

    def enter(function: LayerFunction) -> LayerFunction:
        for name in class_names:
            assert name not in LAYERS, name
            LAYERS[name] = Entry(function, frozenset(ignored))
        return function

    return enter


def register_layer(class_name: str) -> Callable[[LayerFunction], LayerFunction]:
    """Let a function compute the custom layers of a class: `@engine.register_layer("Name")`.

    The function is handed the call: `call.config`, `call.x` or `call.inputs`, `call.weight(name, shape)` for each
    weight in the order in which the layer made them. It returns the value that it makes: with `call.emit(op, ...)`
    from the operations of `engine.ir.ops`, or with `call.host(function, shape, ...)` by a NumPy function. Raises
    `InputError` for a class that is known already.
    """
    from engine.frontend import layers as _families  # noqa: F401

    if class_name in LAYERS:
        raise InputError(f"layers of class {class_name!r} are known; only custom ones can be registered")

    def enter(function: LayerFunction) -> LayerFunction:
        CUSTOM[class_name] = function
        return function

    return enter


def run_layer(class_name: str, call: Call) -> tuple[int, ...]:
    """Turn one call into operations; its output values. Options that nothing reads are refused, not ignored."""
    if class_name in RUNS_CODE:
        given = f"; `load_model(..., lambdas={{{call.layer.spec.name!r}: function}})` takes yours in its place"
        raise call.refuse("it holds program code, which is never run" + (given if class_name == "Lambda" else ""))
    entry = LAYERS.get(class_name)
    if entry is None:
        return _run_custom(class_name.rpartition(">")[2], call)
    try:
        result = entry.function(call)
    except (GraphError, LimitExceededError) as error:
        raise type(error)(f"{call.config.where}: {error}") from None
    except EngineError:
        raise
    except UNEXPECTED as error:
        raise not_understood(call.config.where, error) from error
    check_unread(call.config, entry.ignored)
    return result if isinstance(result, tuple) else (result,)


def _run_custom(class_name: str, call: Call) -> tuple[int, ...]:
    function = CUSTOM.get(class_name)
    if function is None:
        raise call.refuse("layers of this class are not supported; `engine.register_layer` can add them")
    result = function(call)
    return result if isinstance(result, tuple) else (result,)


def check_unread(config: Config, ignored: Collection[str]) -> None:
    """Raise `UnsupportedLayerError` for an option that nothing has read, unless it is known to change no result."""
    for key in config.unread():
        known = key in _HARMLESS or key in ignored or key.endswith(_HARMLESS_ENDINGS)
        value = config.values[key]
        if not known and value not in (None, False, [], {}):
            raise config.refuse(f"option {key!r} = {repr(value)[:60]} is not supported")
