"""JSON ↔ dataclasses, by the types of their fields. Numbers are not taken for flags, nor texts for numbers."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


class MisfitError(ValueError):
    """Data that does not fit the type that it should have."""


def plain(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, for `json.dumps(..., default=plain)`."""
    if not is_dataclass(value):
        raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
    return {field.name: getattr(value, field.name) for field in fields(value)}


def typed(kind: Any, data: Any) -> Any:
    """JSON `data` as a value of a type: a dataclass or a plain one, tuple, mapping from texts, union or literal."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return data
    if origin in (Union, types.UnionType):
        return _any_of(arguments, data)
    if origin is tuple:
        return _tuple(arguments, data)
    if origin is Mapping:
        return {key: typed(arguments[1], item) for key, item in _exactly(data, isinstance(data, dict), kind).items()}
    if is_dataclass(kind):
        return _dataclass(kind, data)
    return _exactly(data, data in arguments if origin is Literal else type(data) is kind, kind)


def _dataclass(kind: Any, data: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(data, dict) or data.keys() != hints.keys():
        raise MisfitError(f"{repr(data)[:40]} has not the fields of {kind.__name__}")
    return kind(**{name: typed(hint, data[name]) for name, hint in hints.items()})


def _any_of(kinds: tuple[Any, ...], data: Any) -> Any:
    problems = []
    for kind in kinds:
        try:
            return typed(kind, data)
        except MisfitError as error:
            problems.append(str(error))
    raise MisfitError("; ".join(problems))


def _tuple(kinds: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    _exactly(data, isinstance(data, list), tuple)
    each = [kinds[0]] * len(data) if kinds[-1] is Ellipsis else kinds
    _exactly(data, len(each) == len(data), tuple)
    return tuple(typed(kind, item) for kind, item in zip(each, data, strict=True))


def _exactly(data: Any, fits: bool, kind: Any) -> Any:
    if not fits:
        raise MisfitError(f"{repr(data)[:40]} is no {getattr(kind, '__name__', kind)}")
    return data


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
