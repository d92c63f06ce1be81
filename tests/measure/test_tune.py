"""Tuning times every candidate of every contested operation, and what it keeps is what models are planned with."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import engine
from cli import main
from engine.measure import tune as module
from engine.measure.loading import load
from engine.measure.tune import WORTH, Row, Tuning, tune
from engine.measure.tune_text import tuning_lines
from engine.plan.choose import legal
from engine.plan.machine import this_machine
from engine.plan.tuned import signature
from engine.runtime import store, tuning
from tests.plan.test_tuned import site

WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "mnist.h5"


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A copy of the kernels, in which nothing is tuned."""
    engine.load_model(WEIGHTS)
    kernels = store.folder(this_machine().isa.name)
    assert kernels is not None
    shutil.copytree(kernels, tmp_path / kernels.name, ignore=shutil.ignore_patterns("tuned-*"))
    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path))
    tuning.choices.cache_clear()
    yield
    tuning.choices.cache_clear()


def row_of(planned: float, other: float) -> Row:
    """What is made of measured times of the plan's own choice and of the other candidate."""
    found = site()
    mark = signature(found)
    names = [algorithm.name for algorithm in legal(found)]
    own = module.choose(legal(found), found).name
    times = {(mark, name, 1): [planned if name == own else other] for name in names}
    (row,) = module._rows({1: found}, {1: mark}, times, [1])
    assert row.planned == own
    return row


def test_only_what_is_clearly_faster_is_taken() -> None:
    assert row_of(1.0, 0.5).chosen != row_of(1.0, 0.5).planned
    assert row_of(1.0, (1 + WORTH) / 2).chosen == row_of(1.0, 2.0).chosen == row_of(1.0, 1.0).planned


def test_batches_weigh_alike() -> None:
    row = Row(("a",), "s", {"x": (1e-6, 4e-3), "y": (2e-6, 2e-3)}, "x", "x")
    assert row.score("x") == pytest.approx(row.score("y"))


def test_every_candidate_of_every_contested_layer_is_timed() -> None:
    found = tune(WEIGHTS, threads=1, seconds=0.0, batches=(3, 1))
    assert (found.batches, found.threads) == ((1, 3), 1)
    assert {layer for row in found.rows for layer in row.layers} == {"conv2", "conv3"}
    for row in found.rows:
        assert {"conv_direct", "conv_winograd"} <= set(row.seconds)
        assert row.chosen in row.seconds
        assert all(len(times) == 2 and min(times) > 0 for times in row.seconds.values())
    assert set(found.choices.values()) <= {name for row in found.rows for name in row.seconds}


@pytest.mark.usefixtures("_own_cache")
def test_models_loaded_later_follow_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def planned() -> set[str]:
        return {task.algorithm for task in load(WEIGHTS, None, 1, 1).session.program.tasks}

    x = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    before, first = planned(), engine.load_model(WEIGHTS)
    expected = first.predict(x)
    assert "conv_winograd" in before
    slow = {row.signature: "conv_direct" for row in tune(WEIGHTS, threads=1, seconds=0.0).rows}
    tuning.save(this_machine(), slow)
    assert "conv_winograd" not in planned()
    later = engine.load_model(WEIGHTS)
    np.testing.assert_allclose(later.predict(x), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(later(x[2:3]), later.predict(x)[2:3])
    np.testing.assert_array_equal(first.predict(x), expected)


@pytest.mark.usefixtures("_own_cache")
def test_the_command_keeps_its_choices_unless_it_runs_dry() -> None:
    words = ["tune", "--weights", str(WEIGHTS), "--seconds", "0", "--threads", "1"]
    dry = CliRunner().invoke(main, [*words, "--dry-run"], prog_name="infer")
    assert dry.exit_code == 0, dry.stderr
    assert "conv2" in dry.stdout
    tuning.choices.cache_clear()
    assert tuning.choices(this_machine()) == {}
    kept = CliRunner().invoke(main, [*words, "--json"], prog_name="infer")
    assert kept.exit_code == 0, kept.stderr
    tuning.choices.cache_clear()
    assert len(tuning.choices(this_machine())) == 2


def test_a_model_without_choices_is_said_so() -> None:
    found = tune(WEIGHTS.with_name("mnist_dense.h5"), threads=1, seconds=0.0)
    assert found.rows == ()
    assert "nothing to choose" in "\n".join(tuning_lines(found))


def test_a_tuning_as_text() -> None:
    rows = (
        Row(("a", "b"), "s", {"x": (1e-6, 4e-3), "y": (1e-6, 2e-3)}, "x", "y"),
        Row(("c",), "t", {"x": (1e-6, 4e-3)}, "x", "x"),
    )
    text = "\n".join(tuning_lines(Tuning("m.h5", "isa", 2, (1, 32), rows)))
    assert "a and 1 more" in text
    assert "x 1.00 / 4000" in text
    assert "y (was x)" in text
    assert "1 of 2 choices differ" in text
