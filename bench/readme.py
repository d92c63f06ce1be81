"""The README's speed table and plot, made from the newest results in bench/results (or from `--results FILE`).

`python -m bench.readme` writes the table between the two marker lines of README.md and the plot to docs/speed.png;
`--check` only says whether they are up to date. The table has the rows on most threads.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench import report, results
from bench.models import MODELS, ROOT
from engine.measure.peers.table import RUNTIMES
from engine.measure.plot import Chart, draw
from engine.measure.text import figure

BEGIN, END = "<!-- speed: made by python -m bench.readme -->", "<!-- speed: end -->"
README, PLOT = ROOT / "README.md", ROOT / "docs" / "speed.png"
TITLES = {
    "engine": "this engine",
    "tensorflow": "TensorFlow function",
    "keras": "Keras `predict`",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "litert": "LiteRT",
}


def section(found: dict[str, Any]) -> str:
    """What stands between the markers: what was measured on what, the table, the mean, the plot."""
    rows = shown(found)
    machine = found["machine"]
    versions = ", ".join(f"{TITLES[n]} {v}" for n, v in machine["versions"].items() if n not in ("engine", "keras"))
    names = [name for name in RUNTIMES if any("median" in row["runners"].get(name, {}) for row in rows)]
    peers = [name for name in names if name != "engine"]
    heads = ["model", "batch", *(TITLES[name] for name in ("engine", *peers)), "best peer / ours", "2 threads over 1"]
    lines = [
        f"Milliseconds an image on {machine['cpu']}, {rows[0]['threads']} threads, float32 "
        f"({machine['date'][:10]}, commit {machine['commit'][:12]}; {versions}):",
        "",
        _row(heads),
        _row(["---"] * len(heads)),
        *(_row(_cells(row, ["engine", *peers])) for row in rows),
        "",
        f"Over these {len(rows)} rows the geometric mean of the fastest peer's time over ours is "
        f"{report.mean_ratio(rows):.2f}; {sum((row['ratio'] or 0) < 1 for row in rows)} are below 1.",
        "",
        f"![The fastest peer's time over ours]({PLOT.relative_to(ROOT).as_posix()})",
    ]
    return "\n".join(lines)


def shown(found: dict[str, Any]) -> list[report.Record]:
    """The rows on most threads, in the order of the models' table."""
    most = max(row["threads"] for row in found["rows"])
    order = [spec.name for spec in MODELS]
    rows = [row for row in found["rows"] if row["threads"] == most]
    return sorted(rows, key=lambda row: (order.index(row["model"]), row["batch"]))


def chart(rows: list[report.Record]) -> Chart:
    """The ratios to the fastest peer, a group a model, a bar a batch size."""
    models, batches = list(dict.fromkeys(r["model"] for r in rows)), sorted({r["batch"] for r in rows})
    ratio = {(row["model"], row["batch"]): row["ratio"] for row in rows}
    values = [[ratio.get((model, batch)) for batch in batches] for model in models]
    series = [f"batch {batch}" for batch in batches]
    return Chart("The fastest peer's time over this engine's (1: equally fast)", series, models, values, line=1.0)


def replaced(text: str, made: str) -> str:
    """The README with what stands between the markers exchanged. Raises ValueError where there are no markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def _cells(row: report.Record, names: list[str]) -> list[str]:
    medians = [row["runners"].get(name, {}).get("median") for name in names]
    numbers = [figure(value) for value in (*medians, row["ratio"], row.get("scaling", {}).get("engine"))]
    return [row["model"], str(row["batch"]), *numbers]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit status 1 where there is nothing to show, or with `--check` where something would change."""
    parser = argparse.ArgumentParser(prog="python -m bench.readme", description=__doc__)
    parser.add_argument("--results", type=Path, metavar="FILE", help="default: the newest under bench/results")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the table is another")
    options = parser.parse_args(arguments)
    path = options.results or results.latest()
    if path is None:
        print("no results: run python -m bench.compare --suite all --save first", file=sys.stderr)
        return 1
    found = json.loads(path.read_text())
    text = README.read_text()
    try:
        made = replaced(text, section(found))
    except ValueError as error:
        print(f"{README}: {error}", file=sys.stderr)
        return 1
    if options.check:
        print(f"{README} {'is' if made == text else 'is not'} what {path} says")
        return int(made != text)
    README.write_text(made)
    draw(chart(shown(found)), PLOT)
    print(f"{README} and {PLOT} show {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
