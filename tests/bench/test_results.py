"""What is made of measured figures: ratios, scaling, goals, lines, files, the README's table."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bench import readme, report, results
from bench.goals import GOALS, goal
from bench.models import MODELS

ABOUT = {
    "cpu": "Some CPU (TM) 9", "cores": 2, "memory_gib": 4, "system": "s", "python": "3", "commit": "0123456789abcdef",
    "date": "2026-01-02T03:04:05+00:00", "load_average": 0.0, "versions": {"engine": "1", "litert": "2"},
}  # fmt: skip
HOW = {"unit": "ms an image", "rounds": 5, "seconds": 0.2, "row_seconds": 40.0}


def row(model: str = "mnist", batch: int = 1, threads: int = 2, **medians: float | str) -> report.Record:
    """A record; a figure that is a text is an error."""
    figures: dict[str, Any] = {
        name: {"median": value} if isinstance(value, float) else {"error": value} for name, value in medians.items()
    }
    found = {"model": model, "batch": batch, "threads": threads, "runners": figures, **report.ratios(figures)}
    return found | {"goal": goal(model, batch, threads)}


def test_the_ratio_is_to_the_fastest_peer() -> None:
    found = row(engine=2.0, litert=3.0, keras=50.0, openvino="broken")
    assert (found["best_peer"], found["ratio"]) == ("litert", 1.5)
    assert found["ratios"] == {"litert": 1.5, "keras": 25.0}


@pytest.mark.parametrize("figures", [{"engine": "broken", "litert": 3.0}, {"engine": 2.0, "litert": "broken"}])
def test_without_a_figure_there_is_no_ratio(figures: dict[str, Any]) -> None:
    assert row(**figures)["ratio"] is None


def test_scaling_is_against_one_thread_of_the_same_row() -> None:
    alone = [row(threads=1, engine=3.0, litert=4.0), row("lstm", threads=1, engine=9.0)]
    assert report.scaling(row(engine=2.0, litert=4.0, keras=1.0), alone) == {"engine": 1.5, "litert": 1.0}
    assert report.scaling(alone[0], alone) == {}
    assert report.scaling(row(batch=32, engine=2.0), alone) == {}


def test_every_model_has_a_goal_for_two_threads() -> None:
    assert set(GOALS) == {spec.name for spec in MODELS}
    assert goal("mnist", 1, 2) == 1.7
    assert goal("mnist", 32, 2) == 1.8
    assert goal("mnist", 1, 1) is goal("mnist", 8, 2) is goal("other", 1, 2) is None


def test_a_line_has_a_column_a_runner_and_the_reasons_below() -> None:
    found = row(engine=2.0, litert=3.0, openvino="broken") | {"scaling": {"engine": 1.9}}
    found["runners"]["litert"]["peak_mib"] = 12.0
    runners = ["engine", "keras", "openvino", "litert"]
    first, second = report.line(found, runners).splitlines()
    assert first.split() == ["mnist", "1", "2", "2.00", "-", "-", "3.00", "1.50", "1.70", "1.90"]
    assert second.strip() == "openvino: broken"
    assert report.memory_line(found, runners).split() == ["peak", "MiB", "-", "-", "-", "12.0"]
    assert report.memory_line(row(engine=1.0), runners) == ""
    assert "failed" in report.line(row(engine="broken", litert=1.0), runners)
    assert len(report.titles(runners, "unit").splitlines()[1]) == len(first)


def test_the_summary_counts_goals_and_slow_rows() -> None:
    rows = [row(engine=1.0, litert=2.0), row("vgg16", engine=2.0, litert=1.0), row("lstm", engine="broken")]
    assert report.summary(rows) == (
        "geometric mean of best peer/ours 1.00 over 2 rows, 1 below 1.0, 1 of 3 goals reached, 1 without a ratio"
    )
    assert report.mean_ratio([rows[2]]) is None
    assert report.coverage(rows) == "rows with figures: engine 2 of 3, litert 2 of 2"


def test_results_are_kept_by_machine_and_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    path = results.place(ABOUT)
    assert path == tmp_path / "some-cpu-tm-9-2-cores" / "2026-01-02-0123456789ab.json"
    assert results.place(ABOUT | {"commit": "0123456789abcdef+changes"}).stem == "2026-01-02-0123456789ab-changed"
    startup = results.place(ABOUT, results.STARTUP)
    assert startup.stem == "2026-01-02-0123456789ab-startup"
    results.write(startup, ABOUT, HOW | {"unit": results.STARTUP}, [row(engine=1.0, litert=2.0)])
    assert results.latest() is None
    results.write(path, ABOUT, HOW, [row(engine=1.0, litert=2.0)])
    assert results.latest() == path


def test_rows_of_the_same_commit_stay_and_others_go(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    results.write(path, ABOUT, HOW, [row(engine=1.0, litert=2.0), row("lstm", engine=1.0, litert=4.0)])
    results.write(path, ABOUT, HOW, [row(engine=1.0, litert=3.0)])
    found = json.loads(path.read_text())
    assert [(r["model"], r["ratio"]) for r in found["rows"]] == [("lstm", 4.0), ("mnist", 3.0)]
    assert found["geometric_mean"] == pytest.approx(12**0.5)
    for about, how in ((ABOUT | {"commit": "other"}, HOW), (ABOUT, HOW | {"unit": "seconds"})):
        results.write(path, about, how, [row(engine=1.0, litert=3.0)])
        assert len(json.loads(path.read_text())["rows"]) == 1


def found() -> dict[str, Any]:
    """Results of two models on one and two threads."""
    rows = [
        row("lstm", 1, 2, engine=1.0, litert=2.0) | {"scaling": {"engine": 1.8}},
        row("mnist", 32, 2, engine=1.0, litert=0.5),
        row("mnist", 1, 2, engine=2.0, litert="broken", keras=8.0),
        row("mnist", 1, 1, engine=3.0, litert=4.0),
    ]
    return {"machine": ABOUT, **HOW, "rows": rows}


def test_the_readmes_table_has_the_rows_on_most_threads() -> None:
    lines = readme.section(found()).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table[0] == (
        "| model | batch | this engine | Keras `predict` | LiteRT | best peer / ours | 2 threads over 1 |"
    )
    assert table[2:] == [
        "| mnist | 1 | 2.00 | 8.00 | - | 4.00 | - |",
        "| mnist | 32 | 1.00 | - | 0.500 | 0.500 | - |",
        "| lstm | 1 | 1.00 | - | 2.00 | 2.00 | 1.80 |",
    ]
    assert "is 1.59; 1 are below 1." in lines[-3]


def test_the_readmes_plot_shows_the_same_rows() -> None:
    chart = readme.chart(readme.shown(found()))
    assert (chart.series, chart.groups) == (["batch 1", "batch 32"], ["mnist", "lstm"])
    assert chart.values == [[4.0, 0.5], [2.0, None]]


def test_only_what_stands_between_the_markers_changes() -> None:
    text = f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n"
    made = readme.replaced(text, "new")
    assert made == f"before\n{readme.BEGIN}\n\nnew\n\n{readme.END}\nafter\n"
    assert readme.replaced(made, "new") == made
    with pytest.raises(ValueError, match="no lines"):
        readme.replaced("before\nafter\n", "new")


def test_the_readme_is_written_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, plot, file = tmp_path / "README.md", tmp_path / "docs.png", tmp_path / "r.json"
    for name, value in (("README", page), ("PLOT", plot), ("ROOT", tmp_path)):
        monkeypatch.setattr(readme, name, value)
    file.write_text(json.dumps(found()))
    page.write_text(f"a\n{readme.BEGIN}\n{readme.END}\nb\n")
    assert readme.main(["--results", str(file), "--check"]) == 1
    assert not plot.exists()
    assert readme.main(["--results", str(file)]) == 0
    assert "| mnist | 1 | 2.00 |" in page.read_text()
    with Image.open(plot) as picture:
        assert picture.format == "PNG"
    assert readme.main(["--results", str(file), "--check"]) == 0
    page.write_text("no markers")
    assert readme.main(["--results", str(file)]) == 1
