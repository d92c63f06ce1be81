"""The code in the documentation, by the kind of its block."""

import re
import shutil
from pathlib import Path

from tests.processes import ROOT

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of one kind on a page, in order; those without one have the kind ''."""
    return [text for found, text in _BLOCK.findall((ROOT / page).read_text()) if found == kind]


def files(page: str) -> dict[str, str]:
    """The Python blocks of a page by the file names in their first lines."""
    found = {}
    for text in blocks(page, "python"):
        first = text.splitlines()[0]
        assert re.fullmatch(r"# \w+\.py", first), f"{page}: a block begins with {first!r}, not with a file name"
        found[first[2:]] = text
    return found


def furnish(folder: Path) -> None:
    """Put the models and the images into a folder, under the names that the examples use."""
    for name in ("weights", "samples"):
        shutil.copytree(ROOT / name, folder / name)
