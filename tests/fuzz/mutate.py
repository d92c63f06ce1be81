"""Mutants: bytes and JSON values changed at random. The same `Random` makes the same mutant."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

INTEGERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 7, 1000, 2**31 - 1, 2**31, 2_000_000_000, 2**63, 10**400, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), "", "8", "same", "valid", "relu", "channels_first", "float16", "Dense", "Lambda",
    "x" * 1000, "a/b", "..", "\0", "é", [], {}, [[]], [None], [0], [1, 1], [None, 4], {"class_name": "Dense"},
    {"class_name": "__lambda__", "config": {}}, {"class_name": "__numpy__", "config": {"value": [1]}},
)  # fmt: skip

LARGE = (1000, 30_000, 70_000, 3_000_000, 2_000_000_000, 2**31 - 1)


def _place(rng: Random, content: bytearray) -> int:
    """A position; half of the time one that is not among zeros."""
    at = rng.randrange(len(content))
    for _ in range(8 * rng.randrange(2)):
        if content[at]:
            break
        at = rng.randrange(len(content))
    return at


def _flip(rng: Random, content: bytearray) -> None:
    content[_place(rng, content)] ^= 1 << rng.randrange(8)


def _set(rng: Random, content: bytearray) -> None:
    content[_place(rng, content)] = rng.randrange(256)


def _integer(rng: Random, content: bytearray) -> None:
    at, width = _place(rng, content), rng.choice((1, 2, 4, 8))
    value = rng.choice((*INTEGERS, len(content), rng.randrange(len(content))))
    content[at : at + width] = (value % 256**width).to_bytes(width, "little")[: len(content) - at]


def _fill(rng: Random, content: bytearray) -> None:
    at, count = _place(rng, content), rng.randrange(1, 64)
    content[at : at + count] = bytes([rng.choice((0, 255))]) * len(content[at : at + count])


def _copy(rng: Random, content: bytearray) -> None:
    source, target, count = _place(rng, content), _place(rng, content), rng.randrange(1, 256)
    block = content[source : source + count]
    content[target : target + len(block)] = block[: len(content) - target]


def _move(rng: Random, content: bytearray) -> None:
    at, count = _place(rng, content), rng.randrange(1, 64)
    block = content[at : at + count]
    choice = rng.randrange(3)
    content[at : at + count] = (b"", block * 2, bytes(count) + block)[choice]


def _cut(rng: Random, content: bytearray) -> None:
    del content[rng.randrange(1, len(content) + 1) :]


EDITS: tuple[Callable[[Random, bytearray], None], ...] = (
    *(_flip, _set, _integer, _fill, _copy) * 3,
    _move,
    _cut,
)


def mutate_bytes(rng: Random, content: bytes) -> bytes:
    """`content` after one to eight edits; most keep its length."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        rng.choice(EDITS)(rng, changed)
    return bytes(changed)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key or index below a value."""
    found, todo = [], [value]
    while todo:
        item = todo.pop()
        keys = item if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            found.append((item, key))
            todo.append(item[key])
    return found


def _changed(rng: Random, old: Any, all_places: list[tuple[Any, Any]]) -> Any:
    kind = rng.randrange(5)
    if kind == 0 and isinstance(old, int | float) and not isinstance(old, bool):
        return rng.choice((old + 1, old - 1, -old, old * 2, str(old), [old], old * 1000))
    if kind == 1:
        holder, key = rng.choice(all_places)
        return copy.deepcopy(holder[key])
    if kind == 2:
        return rng.choice(([old], [old, old], {"class_name": old, "config": {}}, {"value": old}))
    return rng.choice(VALUES)


def mutate_json(rng: Random, value: Any) -> Any:
    """A JSON value after one to four edits of what it holds."""
    changed = copy.deepcopy(value)
    for _ in range(rng.randrange(1, 5)):
        places = _places(changed)
        if not places:
            return changed
        holder, key = rng.choice(places)
        kind = rng.randrange(8)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
        elif kind == 1:
            holder[str(rng.choice(places)[1])] = holder.pop(key)
        else:
            holder[key] = _changed(rng, holder[key], places)
    return changed


def enlarge(rng: Random, value: Any) -> Any:
    """A JSON value with one or two of its whole numbers made large."""
    changed = copy.deepcopy(value)
    places = [(holder, key) for holder, key in _places(changed) if type(holder[key]) is int and holder[key] > 0]
    for holder, key in rng.sample(places, min(len(places), rng.choice((1, 1, 2)))):
        holder[key] = rng.choice(LARGE)
    return changed
