"""Metadata in the weights file itself."""

import json
import os
from pathlib import Path

from engine.frontend.notes import read_note, write_note
from engine.images.metadata import Metadata, metadata_in


def write_in_file(weights: str | os.PathLike[str], metadata: Metadata) -> Path:
    """Write `metadata` into an .h5 file, over what it says already, and return where.

    The file is replaced whole or left as it is. Raises ModelFileError for a file of another kind.
    """
    merged = metadata_in(read_note(weights), os.fspath(weights)).updated(metadata)
    write_note(weights, json.dumps(merged.to_dict(), ensure_ascii=False))
    return Path(weights)
