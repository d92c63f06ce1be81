"""Metadata in the weights file itself."""

import json
import os
from pathlib import Path

from engine.frontend import Source, name_of
from engine.frontend.notes import read_note, write_note
from engine.images.labels import parse_json
from engine.images.metadata import Metadata, metadata_of


def read_in_file(source: Source) -> Metadata:
    """What a model's file says about its images, empty if it says nothing. Raises InputError or ModelFileError."""
    note = read_note(source)
    where = f"{name_of(source)}: its metadata"
    return Metadata() if note is None else metadata_of(parse_json(where, note), where)


def write_in_file(weights: str | os.PathLike[str], metadata: Metadata) -> Path:
    """Write `metadata` into an .h5 file, over what it says already, and return where.

    The file is replaced whole or left as it is. Raises ModelFileError for a file of another kind.
    """
    merged = read_in_file(weights).updated(metadata)
    write_note(weights, json.dumps(merged.to_dict(), ensure_ascii=False).encode())
    return Path(weights)
