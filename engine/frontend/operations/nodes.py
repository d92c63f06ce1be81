"""Which function a node calls, and with what: Keras 3's operations, TensorFlow's functions and nodes in Keras 2."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import EngineError, GraphError
from engine.frontend import operations as _families  # noqa: F401  # fills the table of functions
from engine.frontend.call import Call, Tensor
from engine.frontend.function_nodes import LAMBDAS, RAW
from engine.frontend.operations.filling import FILLED, has_batch
from engine.frontend.operations.node_text import parse_node_text
from engine.frontend.operations.scope import Scope, tensors_in
from engine.frontend.operations.sizes import SIZES, shape_of
from engine.frontend.operations.table import OPERATIONS, entry_of
from engine.frontend.registry import UNEXPECTED, not_understood
from engine.frontend.strict_json import parse

_SHAPE = ("shape", "compat.v1.shape", "raw.Shape", "Shape")
_LISTS = {"raw.ConcatV2": 1, "raw.Pack": 0, "raw.AddN": 0}
"""Nodes that take values one by one which their function takes as a list, and how many others follow."""


def run_operation(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[int, ...]:
    """Turn one node into operations; its output values. In the arguments a `Tensor` stands for a value of the graph."""
    name, args, kwargs = _called(call, args, kwargs)
    scope = Scope(call, name)
    args, kwargs = _known(call, list(args)), _known(call, dict(kwargs))
    try:
        if name in _SHAPE:
            return (call.emitter.note(shape_of(scope, args[0])),)
        if next(tensors_in([*args, *kwargs.values()]), None) is None:
            if name in FILLED and has_batch([*args, *kwargs.values()]):
                return (FILLED[name](scope, *args, **_without_name(kwargs)),)
            if name not in SIZES:
                raise scope.refuse("is called on constants only")
            return (call.emitter.note(SIZES[name](scope, *args, **_without_name(kwargs))),)
        entry = entry_of(name)
        if entry is None:
            raise scope.refuse("this function is not supported")
        result = entry.function(scope, **entry.bind(scope, args, kwargs))
    except GraphError as error:
        raise GraphError(f"{call.config.where}: {name}: {error}") from None
    except EngineError:
        raise
    except UNEXPECTED as error:
        raise not_understood(f"{call.config.where}: {name}", error) from error
    return result if isinstance(result, tuple) else (result,)


def _without_name(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key not in ("name", "dtype", "out_type")}


def _called(call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, Sequence[Any], Mapping[str, Any]]:
    class_name, config = call.layer.spec.class_name, call.config
    if class_name in LAMBDAS:
        name = config.raw("function")
        if not isinstance(name, str):
            raise config.wrong("function", "text")
        return name, args, kwargs
    if class_name == RAW:
        return _node(call, args)
    given = {key: value for key, value in config.values.items() if key != "name"}
    return class_name, args, {**given, **kwargs}


def _node(call: Call, args: Sequence[Any]) -> tuple[str, Sequence[Any], Mapping[str, Any]]:
    """A TensorFlow node as JSON: its inputs in order, constants among them by place, its attributes."""
    config = call.config
    definition = config.raw("node_def")
    if isinstance(definition, str):
        is_json = definition.lstrip().startswith("{")
        definition = parse(definition, "node_def") if is_json else parse_node_text(definition)
    constants = config.raw("constants", None) or {}
    if not isinstance(definition, dict) or not isinstance(constants, dict):
        raise config.wrong("node_def", "a node as JSON")
    name = f"raw.{definition.get('op')}"
    given = list(args[0]) if len(args) == 1 and isinstance(args[0], list | tuple) else list(args)
    for place in sorted(constants, key=int):
        given.insert(int(place), constants[place])
    attributes = {key: _attribute(value) for key, value in (definition.get("attr") or {}).items()}
    if attributes.get("data_format", "NHWC") != "NHWC":
        raise config.refuse(f"{name}: data_format {attributes['data_format']!r} is not supported")
    if name in _LISTS:
        at = len(given) - _LISTS[name]
        given = [given[:at], *given[at:]]
    known = OPERATIONS[name].parameters if name in OPERATIONS else ()
    return name, given, {key: value for key, value in attributes.items() if key in known}


def _attribute(value: Any) -> Any:
    """One attribute's value: {"i": "3"}, {"b": true}, {"f": 0.5}, {"s": base64}, {"type": ...}, {"list": ...}."""
    from base64 import b64decode

    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, content),) = value.items()
    if kind == "i":
        return int(content)
    if kind == "s":
        return b64decode(content, validate=False).decode("ascii", "replace")
    if kind == "list" and isinstance(content, dict):
        return [int(item) for item in content.get("i", [])]
    return content


def _known(call: Call, value: Any) -> Any:
    """Arguments in which values that hold sizes, known before a call, stand as those sizes."""
    if isinstance(value, Tensor):
        return call.emitter.known.get(value.value, value)
    if isinstance(value, list | tuple):
        return [_known(call, item) for item in value]
    if isinstance(value, dict):
        return {key: _known(call, item) for key, item in value.items()}
    return value
