"""A TensorFlow node in the text form of protocol buffers, as the object that its JSON form is.

`name: "y" op: "AddV2" attr { key: "T" value { type: DT_FLOAT } }` → `{"op": "AddV2", "attr": {"T": {"type": ...}}}`.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from engine.errors import ModelFileError

MAX_DEPTH = 16
_TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[\w.+-]+|[{}<>:\[\],;])')
_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


def parse_node_text(text: str) -> dict[str, Any]:
    """The node. Raises `ModelFileError` for what is not such a text."""
    node = _message(_tokens(text), "", 0)
    attributes = node.get("attr", [])
    node["attr"] = {entry["key"]: entry.get("value", {}) for entry in attributes if isinstance(entry.get("key"), str)}
    return node


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ModelFileError(f"its node_def is not understood at {text[at : at + 20]!r}")
        at = match.end()
        yield match[1]


def _message(tokens: Iterator[str], end: str, depth: int) -> dict[str, Any]:
    """Fields up to the token `end`. Inputs, attributes and what stands in a list of an attribute may be repeated."""
    if depth > MAX_DEPTH:
        raise ModelFileError("its node_def is nested too deeply")
    fields: dict[str, Any] = {}
    for key in tokens:
        if key == end:
            return fields
        if key in ",;":
            continue
        token = next(tokens, "")
        if token == ":":
            token = next(tokens, "")
        value = _message(tokens, "}>"["{<".index(token)], depth + 1) if token in ("{", "<") else _scalar(key, token)
        if key in ("input", "attr") or depth >= 3:
            fields.setdefault(key, []).append(value)
        else:
            fields[key] = value
    if end:
        raise ModelFileError("its node_def ends too early")
    return fields


def _scalar(key: str, token: str) -> Any:
    if token[:1] in ("'", '"'):
        text = _ESCAPE.sub(_unescaped, token[1:-1])
        return b64encode(text.encode("latin-1", "replace")).decode() if key == "s" else text
    if token in ("true", "false"):
        return token == "true"
    return _number(token) if key == "f" else token


def _number(token: str) -> float:
    try:
        return float(token.rstrip("fF"))
    except ValueError:
        raise ModelFileError(f"its node_def has {token[:20]!r} for a number") from None


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x":
        return chr(int(code[1:], 16))
    return chr(int(code, 8) & 255) if code[0] in "01234567" else _LETTERS.get(code, code)
