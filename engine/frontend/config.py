"""A layer's configuration, read key by key with its kind and range checked. Some files have 3.0 for 3."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from engine.errors import LimitExceededError, ModelFileError, UnsupportedLayerError

MAX_INT = 2**31 - 1
MAX_TABLE = 1 << 17
_MISSING: Any = object()


class Config:
    """`values` of one layer. `where` names the layer in errors. Every key that is read is remembered."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.values = values
        self.where = where
        self._read: set[str] = set()

    def raw(self, key: str, default: Any = _MISSING) -> Any:
        """The value as the file has it."""
        self._read.add(key)
        if key in self.values:
            return self.values[key]
        if default is _MISSING:
            raise ModelFileError(f"{self.where}: {key!r} is missing")
        return default

    def unread(self) -> list[str]:
        """Keys that nobody asked for."""
        return [key for key in self.values if key not in self._read]

    def wrong(self, key: str, expected: str) -> ModelFileError:
        """The error for a value of the wrong kind."""
        found = repr(self.values.get(key))
        return ModelFileError(f"{self.where}: {key!r} must be {expected}, found {found[:80]}")

    def refuse(self, why: str) -> UnsupportedLayerError:
        """The error for an option that is not computed."""
        return UnsupportedLayerError(f"{self.where}: {why}")

    def flag(self, key: str, default: bool = _MISSING) -> bool:
        """True or false; some files have 1 and 0."""
        value = self.raw(key, default)
        if value not in (True, False):
            raise self.wrong(key, "true or false")
        return bool(value)

    def integer(self, key: str, default: int = _MISSING, low: int = 1, high: int = MAX_INT) -> int:
        """An integer in [low, high]."""
        return self._integer(key, self.raw(key, default), low, high)

    def number(self, key: str, default: float = _MISSING) -> float:
        """A finite number."""
        return self._number(key, self.raw(key, default))

    def optional_number(self, key: str) -> float | None:
        """A finite number, or None where the key is absent or null."""
        value = self.raw(key, None)
        return None if value is None else self._number(key, value)

    def numbers(self, key: str, default: float = _MISSING) -> tuple[float, ...]:
        """One number or a list of numbers, however nested, in order."""
        found: list[float] = []
        todo = [self.raw(key, default)]
        while todo:
            value = todo.pop()
            if isinstance(value, list):
                todo += reversed(value)
            else:
                found.append(self._number(key, value))
        return tuple(found)

    def choice(self, key: str, allowed: Sequence[str], default: str = _MISSING) -> str:
        """One of a few words."""
        value = self.raw(key, default)
        if value not in allowed:
            raise self.wrong(key, " or ".join(map(repr, allowed)))
        return str(value)

    def sizes(self, key: str, count: int, default: int | Sequence[int] = _MISSING, low: int = 1) -> tuple[int, ...]:
        """`count` integers from a list of them or from one for all."""
        value = self.raw(key, default)
        values = list(value) if isinstance(value, list | tuple) else [value] * count
        if len(values) != count:
            raise self.wrong(key, f"an integer or a list of {count}")
        return tuple(self._integer(key, v, low, MAX_INT) for v in values)

    def borders(self, key: str, count: int, default: int = _MISSING) -> tuple[tuple[int, int], ...]:
        """`count` pairs (before, after): from one integer, from one for each axis, or from a pair for each axis."""
        value = self.raw(key, default)
        values = list(value) if isinstance(value, list | tuple) else [value] * count
        pairs = [tuple(v) if isinstance(v, list | tuple) else (v, v) for v in values]
        if len(pairs) != count or any(len(pair) != 2 for pair in pairs):
            raise self.wrong(key, f"an integer or a list of {count} integers or pairs")
        return tuple((self._integer(key, a, 0, MAX_INT), self._integer(key, b, 0, MAX_INT)) for a, b in pairs)

    def integers(self, key: str, low: int = -MAX_INT) -> tuple[int, ...]:
        """A list of integers."""
        value = self.raw(key)
        if not isinstance(value, list | tuple):
            raise self.wrong(key, "a list of integers")
        return tuple(self._integer(key, v, low, MAX_INT) for v in value)

    def _integer(self, key: str, value: Any, low: int, high: int) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, f"an integer from {low} to {high}")
        return value

    def _number(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.wrong(key, "a finite number")
        return float(value)


def table(count: int, most: int = MAX_TABLE) -> range:
    """`range(count)`, for tables that the graph holds. Raises `LimitExceededError` beyond any that a network needs."""
    if count > most:
        raise LimitExceededError(f"a table of {count} entries; at most {most} are made")
    return range(count)
