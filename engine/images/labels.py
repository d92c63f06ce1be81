"""Names of the classes, in the forms in which people keep them."""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.images.files import open_regular

MAX_BYTES = 16 << 20

INDEX_HEADERS = frozenset({"index", "id", "idx", "class_id", "classid", "class_index", "number", "code"})
NAME_HEADERS = frozenset(
    {"label", "labels", "name", "names", "class", "classes", "class_name", "classname", "label_name"}
)

_NUMBERED = re.compile(r"(\d{1,9})\s*[\s:,]\s*(\S.*)")


def read_labels(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The labels in a file, in the order of the classes; the suffix tells the form. Raises InputError.

    - `.json`: a list; a map from index to name, or to [id, name] as Keras's ImageNet file; a map from name to index,
      as `class_indices` of Keras's generators; or a sidecar with `labels`.
    - `.csv`, `.tsv`: names alone, or a column of indices and one of names, with or without a header.
    - any other: one a line, blank lines ignored; lines `0 Name` as Teachable Machine writes them lose their numbers.
    """
    text = read_text(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        return labels_of(parse_json(path, text), path)
    if suffix in (".csv", ".tsv"):
        return _from_table(text, _separator(text, suffix), path)
    return _from_lines(text)


def labels_of(value: Any, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The labels in a JSON value; `path` is for the error."""
    if isinstance(value, dict) and "labels" in value:
        value = value["labels"]
    if isinstance(value, list) and value and all(isinstance(label, str) for label in value):
        return tuple(value)
    if isinstance(value, dict) and value:
        if all(type(index) is int for index in value.values()):
            return _in_order(((index, name) for name, index in value.items()), path)
        names = {key: name[-1] if isinstance(name, list) and name else name for key, name in value.items()}
        if all(key.isdecimal() and len(key) < 10 and isinstance(name, str) for key, name in names.items()):
            return _in_order(((int(key), name) for key, name in names.items()), path)
    raise InputError(f"{os.fspath(path)}: labels are a list of strings, or a map between whole numbers and strings")


def is_numbered(path: str | os.PathLike[str]) -> bool:
    """Whether every line of a text file is `0 Name`, `1 Name` and so on: Teachable Machine's form."""
    return _numbered(_lines(read_text(path))) is not None


def read_text(path: str | os.PathLike[str]) -> str:
    """A small file of UTF-8. Raises InputError."""
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{os.fspath(path)}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{os.fspath(path)}: more than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{os.fspath(path)}: byte {error.start} is not UTF-8 text") from error


def parse_json(path: str | os.PathLike[str], text: str | bytes) -> Any:
    """The value of a JSON text. Raises InputError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{os.fspath(path)}: not JSON: {error}") from error


def _separator(text: str, suffix: str) -> str:
    if suffix == ".tsv":
        return "\t"
    first = text.split("\n", 1)[0]
    return ";" if ";" in first and "," not in first else ","


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _from_lines(text: str) -> tuple[str, ...]:
    lines = _lines(text)
    return _numbered(lines) or tuple(lines)


def _numbered(lines: Sequence[str]) -> tuple[str, ...] | None:
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    names = tuple(match[2] for i, match in enumerate(matches) if match and int(match[1]) == i)
    return names if names and len(names) == len(lines) else None


def _from_table(text: str, separator: str, path: str | os.PathLike[str]) -> tuple[str, ...]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator, strict=True) if any(row)]
    except csv.Error as error:
        raise InputError(f"{os.fspath(path)}: {error}") from error
    rows = [[cell.strip() for cell in row] for row in rows]
    if not rows or len({len(row) for row in rows}) != 1:
        raise InputError(f"{os.fspath(path)}: a table of labels has rows of one length")
    header = [cell.lower().replace(" ", "_") for cell in rows[0]]
    index, name = _columns(header, rows[1:], path)
    has_header = header[name] in NAME_HEADERS or (index is not None and not _is_index(rows[0][index]))
    body = rows[1:] if has_header else rows
    if index is None:
        return tuple(row[name] for row in body)
    wrong = next((row[index] for row in body if not _is_index(row[index])), None)
    if wrong is not None:
        raise InputError(f"{os.fspath(path)}: {wrong!r} is no index of a class")
    return _in_order(((int(row[index]), row[name]) for row in body), path)


def _columns(
    header: Sequence[str], body: Sequence[Sequence[str]], path: str | os.PathLike[str]
) -> tuple[int | None, int]:
    """The columns of the indices, if there is one, and of the names: by the header, else by what is in them."""
    width = len(header)
    name = next((i for i, cell in enumerate(header) if cell in NAME_HEADERS), 0 if width == 1 else None)
    index = next((i for i, cell in enumerate(header) if cell in INDEX_HEADERS and i != name), None)
    if index is None:
        index = next((i for i in range(width) if i != name and _counts(row[i] for row in body)), None)
    if name is None and index is not None and width == 2:
        name = 1 - index
    if name is None:
        raise InputError(f"{os.fspath(path)}: which of the {width} columns has the names? Head it `label`")
    return index, name


def _counts(cells: Iterable[str]) -> bool:
    """Whether the cells are whole numbers from 0 up, each once; one, which the first row may have, may be left out."""
    values = list(cells)
    if not all(map(_is_index, values)):
        return False
    found = set(map(int, values))
    return len(found) == len(values) and max(found, default=0) <= len(values)


def _is_index(cell: str) -> bool:
    return cell.isdecimal() and len(cell) < 10


def _in_order(pairs: Iterable[tuple[int, str]], path: str | os.PathLike[str]) -> tuple[str, ...]:
    found = sorted(pairs)
    for expected, (index, _) in enumerate(found):
        if index != expected:
            problem = f"there are two of {index}" if index < expected else f"{expected} is missing"
            raise InputError(f"{os.fspath(path)}: the indices of the labels go from 0 up, but {problem}")
    return tuple(name for _, name in found)
