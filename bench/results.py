"""Results as JSON files, one a machine and commit: `bench/results/<machine>/<date>-<commit>.json`."""

import json
import re
from pathlib import Path
from typing import Any

from bench import report
from bench.models import ROOT

STEADY, STARTUP = "ms an image", "seconds to first answer"
"""What the figures are; each kind has files of its own."""

FOLDER = ROOT / "bench" / "results"


def place(about: dict[str, Any], unit: str = STEADY) -> Path:
    """Where the results of one kind are kept for this machine and commit."""
    machine = re.sub(r"[^a-z0-9]+", "-", f"{about['cpu']} {about['cores']} cores".lower()).strip("-")
    commit, _, changes = about["commit"].partition("+")
    name = f"{about['date'][:10]}-{commit[:12]}{'-changed' if changes else ''}{'-startup' if unit == STARTUP else ''}"
    return FOLDER / machine / f"{name}.json"


def write(path: Path, about: dict[str, Any], how: dict[str, Any], records: list[report.Record]) -> None:
    """Write the rows so far; rows of an earlier run of the same commit that were not measured again stay.

    `about` is the machine, `how` the unit and the options of the measurement.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = _kept(path, about, how, records)
    rows = sorted([*kept, *records], key=_order)
    whole = {"machine": about, **how, "geometric_mean": report.mean_ratio(rows), "rows": rows}
    path.write_text(json.dumps(whole, indent=1) + "\n")


def latest() -> Path | None:
    """The newest results of calls at work, by date of their measurement."""
    files = [path for path in FOLDER.glob("*/*.json") if json.loads(path.read_text()).get("unit") == STEADY]
    return max(files, key=lambda path: json.loads(path.read_text())["machine"]["date"], default=None)


def _kept(path: Path, about: dict[str, Any], how: dict[str, Any], records: list[report.Record]) -> list[report.Record]:
    if not path.is_file():
        return []
    old = json.loads(path.read_text())
    if old["machine"]["commit"] != about["commit"] or old["unit"] != how["unit"]:
        return []
    measured = {_order(record) for record in records}
    rows: list[report.Record] = [row for row in old["rows"] if _order(row) not in measured]
    return rows


def _order(record: report.Record) -> tuple[str, int, int]:
    return record["model"], record["batch"], record["threads"]
