"""Who feeds whom: the `inbound_nodes`, `input_layers` and `output_layers` of Keras 2 and 3, as plain references."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeGuard

from engine.errors import ModelFileError, UnsupportedLayerError
from engine.frontend.spec import Arguments, Ref, refs_in


def parse_node(data: Any, layer: str) -> Arguments:
    """One entry of `inbound_nodes`."""
    if isinstance(data, dict) and "args" in data:
        args, kwargs = _keras3(data["args"]), _keras3(data.get("kwargs") or {})
        if isinstance(args, list) and isinstance(kwargs, dict):
            return Arguments(tuple(args), kwargs)
    if isinstance(data, list) and data:
        entries = [data] if isinstance(data[0], str) else data
        if all(_is_entry(entry) for entry in entries):
            tensors = [_keras2(entry[:3]) for entry in entries]
            kwargs = {key: v for entry in entries if len(entry) == 4 for key, v in (entry[3] or {}).items()}
            return Arguments((tensors if len(tensors) > 1 else tensors[0],), {k: _keras2(v) for k, v in kwargs.items()})
        kwargs = {}
        with suppress(_NotAnEntryError):
            return Arguments((_nested(data, kwargs),), {k: _keras2(v) for k, v in kwargs.items()})
    raise ModelFileError(f"layer {layer!r}: its inbound_nodes are not understood: {repr(data)[:80]}")


class _NotAnEntryError(Exception):
    """What stands among the entries of a node is none."""


def _nested(data: Any, kwargs: dict[str, Any]) -> Any:
    """References and constants in lists of lists; `kwargs` collects what is called with them."""
    if _is_entry(data):
        kwargs |= (data[3] or {}) if len(data) == 4 else {}
        return _keras2(data[:3])
    if not isinstance(data, list):
        raise _NotAnEntryError
    return [_nested(item, kwargs) for item in data]


def parse_tensors(data: Any, what: str) -> tuple[Ref, ...]:
    """`input_layers` or `output_layers`: one reference, a list of them, or a dictionary."""
    found = tuple(refs_in(_keras2(data)))
    if not found:
        raise ModelFileError(f"its {what} are missing or not understood")
    return found


def _is_triple(value: Any) -> TypeGuard[list[Any]]:
    return (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in value[1:3])
    )


def _is_constant(value: Any) -> TypeGuard[list[Any]]:
    """Keras 2's way to write a constant among references."""
    return isinstance(value, list) and len(value) >= 3 and value[0] == "_CONSTANT_VALUE" and value[1] == -1


def _is_entry(value: Any) -> TypeGuard[list[Any]]:
    if not _is_triple(value) and not _is_constant(value):
        return False
    return len(value) == 3 or (len(value) == 4 and (value[3] is None or isinstance(value[3], dict)))


def _ref(triple: list[Any]) -> Ref:
    return Ref(triple[0], triple[1], triple[2])


def _keras2(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) == 3 and (_is_triple(value) or _is_constant(value)):
            return value[2] if _is_constant(value) else _ref(value)
        return [_keras2(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__ellipsis__":
        return Ellipsis
    if value.keys() == {"start", "stop", "step"}:
        return _slice(value)
    return {key: _keras2(v) for key, v in value.items()}


def _keras3(value: Any) -> Any:
    if isinstance(value, list):
        return [_keras3(v) for v in value]
    if not isinstance(value, dict):
        return value
    tag, config = value.get("class_name"), value.get("config")
    if isinstance(tag, str) and tag in _TAGS and isinstance(config, dict):
        return _TAGS[tag](config)
    return {key: _keras3(v) for key, v in value.items()}


def _tensor(config: dict[str, Any]) -> Any:
    history = config.get("keras_history")
    return _ref(history) if _is_triple(history) else config


def _slice(config: dict[str, Any]) -> slice:
    parts = [config.get(key) for key in ("start", "stop", "step")]
    for part in parts:
        if part is not None and (not isinstance(part, int) or isinstance(part, bool)):
            raise UnsupportedLayerError(f"a slice from {repr(part)[:60]} is not supported; only whole numbers are")
    return slice(*parts)


_TAGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "__keras_tensor__": _tensor,
    "__ellipsis__": lambda config: Ellipsis,
    "__slice__": _slice,
    **dict.fromkeys(("__numpy__", "__tensor__", "__tuple__"), lambda config: _keras3(config.get("value"))),
}
