"""The closed table of functions that a node may call, under every name that Keras and TensorFlow give them.

A name is that of Keras 3's class (`Mean`), of TensorFlow's function (`math.reduce_mean`), or of TensorFlow's node
with `raw.` before it (`raw.Mean`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, TypeAlias

from engine.frontend.operations.scope import Scope

_OLD_WORDS = {
    "dim": "axis",
    "filter": "filters",
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "value": "input",
}
"""What TensorFlow 1 called the arguments of functions that later ones call through it."""

_HARMLESS = ("name", "partition_strategy", "use_cudnn_on_gpu")
"""Arguments that change no result."""

Function: TypeAlias = Callable[..., int | tuple[int, ...]]


@dataclass(frozen=True)
class Entry:
    """A function and what one of its names calls its parameters, in order."""

    function: Function
    parameters: tuple[str, ...]

    def bind(self, scope: Scope, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by the function's own names. What it does not know is refused, unless it says nothing."""
        own = list(signature(self.function).parameters.values())[1:]
        if len(args) > len(own):
            raise scope.refuse(f"{len(args)} arguments are too many")
        bound = {}
        for given, value in kwargs.items():
            key = given if given in self.parameters else _OLD_WORDS.get(given, given)
            if key in self.parameters:
                bound[own[self.parameters.index(key)].name] = value
            elif key not in _HARMLESS and not _says_nothing(value):
                raise scope.refuse(f"argument {key!r} = {repr(value)[:60]} is not supported")
        free = (parameter.name for parameter in own if parameter.name not in bound)
        bound |= dict(zip(free, args, strict=False))
        for parameter in own:
            if parameter.default is Parameter.empty and parameter.name not in bound:
                raise scope.refuse(f"argument {parameter.name!r} is missing")
        return bound


OPERATIONS: dict[str, Entry] = {}


def entry_of(name: str) -> Entry | None:
    """The function of a name. TensorFlow's own functions may call those of TensorFlow 1 in their place."""
    return OPERATIONS.get(name) or OPERATIONS.get(name.removeprefix("compat.v1."))


def operation(*names: str) -> Callable[[Function], Function]:
    """Enter a function under names; a name may be followed by its parameters' names, where they are not the function's.

    A function is given a `Scope`, then arguments in which a `Tensor` stands for a value of the graph.
    """

    def enter(function: Function) -> Function:
        code = function.__code__
        own = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        for text in names:
            name, *parameters = text.split()
            assert name not in OPERATIONS, name
            assert len(parameters) <= len(own), name
            OPERATIONS[name] = Entry(function, tuple(parameters) or own)
        return function

    return enter


def _says_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, bool | int | str | list) and not value)
