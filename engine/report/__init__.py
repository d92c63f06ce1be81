"""What is said of the images: records, and the forms in which they are written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from engine.report.lines import csv_lines, json_array, json_lines, tsv_lines
from engine.report.record import Layout, Record
from engine.report.table import table

Format: TypeAlias = Callable[[Iterable[Record], Layout], Iterator[str]]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {"table": table, "csv": csv_lines, "tsv": tsv_lines, "json": json_array, "jsonl": json_lines}
)

__all__ = ["FORMATS", "Format", "Layout", "Record"]
