"""JSON from a file that nobody vouches for: bounded, and refused where parsers disagree about what it says."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from engine.errors import LimitExceededError, ModelFileError
from engine.frontend.files import MAX_TEXT

MAX_DIGITS = 300


def parse(text: bytes | str, what: str, *, constants: bool = False) -> Any:
    """The value of `text`; `what` names it in errors. `constants` lets NaN and Infinity pass.

    Raises `ModelFileError` for anything but one JSON value in UTF-8 without repeated keys, and
    `LimitExceededError` beyond 64 MiB.
    """
    if len(text) > MAX_TEXT:
        raise LimitExceededError(f"{what} is {len(text)} bytes long; at most {MAX_TEXT} are accepted")
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(
            decoded,
            object_pairs_hook=_unique,
            parse_constant=float if constants else _refuse_constant,
            parse_int=_integer,
            parse_float=float if constants else _finite,
        )
    except RecursionError:
        raise ModelFileError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise ModelFileError(f"{what} is not valid JSON: {_line(error)}") from None


def _line(error: ValueError) -> str:
    return " ".join(str(error).split())[:200]


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"key {repeated!r} is repeated")
    return table


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value
