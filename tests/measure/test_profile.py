"""Profiles of real files: rows that add up, totals that can be, and clear words where there is nothing to measure."""

from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import InputError
from engine.measure.loading import load
from engine.measure.memory import peak_resident
from engine.measure.numbers import scattered
from engine.measure.peak import Peak
from engine.measure.profile import PACKED_SHARE, Profile, measure
from engine.measure.profile_text import profile_lines
from engine.measure.text import figure, seconds, table
from engine.plan.machine import this_machine
from tests.frontend.handmade import layer, sequential, write
from tests.processes import run_python

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "weights" / "mnist.h5"


@pytest.fixture(scope="module")
def profile() -> Profile:
    return measure(load(WEIGHTS, None, 5, 1), 5, 0.05)[0]


def test_every_layer_is_in_a_row_and_shares_add_up(profile: Profile) -> None:
    model = engine.load_model(WEIGHTS)
    named = {name for row in profile.rows for name in row.layers}
    assert named == {layer.name for layer in model.layers if layer.class_name != "InputLayer"}
    assert sum(row.share for row in profile.rows) == pytest.approx(1)
    assert sum(row.seconds for row in profile.rows) == pytest.approx(profile.steps)
    assert all(row.seconds > 0 and 0.5 < row.busy <= 1.01 for row in profile.rows)


def test_arithmetic_is_that_of_the_model(profile: Profile) -> None:
    expected = 2 * 5 * (28 * 28 * 9 * 32 + 28 * 28 * 9 * 32 * 64 + 14 * 14 * 9 * 64 * 128 + 6272 * 128 + 128 * 10)
    assert sum(row.flops for row in profile.rows) == expected
    for row in profile.rows:
        assert (row.percent_of_peak is None) == (row.flops == 0)


def test_totals_can_be(profile: Profile) -> None:
    assert (profile.batch, profile.piece, profile.threads) == (5, 5, 1)
    assert profile.isa == this_machine().isa.name
    assert profile.steps > 0
    assert min(profile.load, profile.first_call, profile.call, profile.peak) > 0
    memory = profile.memory
    parameters = sum(w.size for layer in engine.load_model(WEIGHTS).layers for w in layer.get_weights())
    assert memory.raw == 4 * parameters
    assert memory.packed >= memory.raw
    assert memory.peak_resident >= memory.packed
    assert memory.expected == 95e6 + PACKED_SHARE * memory.packed + memory.arena


def test_large_batches_go_through_in_pieces() -> None:
    model = load(WEIGHTS, None, 70, 1)
    found, run = measure(model, 70, 0.0)
    assert found.piece == model.session.capacity < 70
    assert len(run) == -(-70 // found.piece)


def test_a_profile_as_text_and_as_plain_values(profile: Profile) -> None:
    text = "\n".join(profile_lines(profile))
    for row in profile.rows:
        assert f"{', '.join(row.layers)}  " in text
        assert row.algorithm in text
    for word in ("5 images, threads: 1", "first call", "between them", "peak resident", "1.1 packed + arena"):
        assert word in text
    plain = profile.to_dict()
    assert plain["memory"]["expected"] == profile.memory.expected
    assert plain["rows"][0]["layers"] == ("conv1",)


def test_a_model_without_steps_cannot_be_measured(tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", sequential(layer("Dropout", "d", rate=0.5)), {})
    with pytest.raises(engine.EngineError, match="nothing to measure"):
        load(path, None, 1, 1)


def test_the_peak_is_of_one_core_or_of_several() -> None:
    peak = Peak(this_machine().isa)
    assert 1e8 < peak.one_core() < 1e13
    assert peak.cores(2) > 1.1 * peak.one_core()


def test_peak_resident_grows_with_what_is_touched() -> None:
    before = peak_resident()
    size = before + (64 << 20)
    np.ones(size // 8).sum()
    assert peak_resident() >= before + (32 << 20)


def test_figures() -> None:
    assert [figure(v) for v in (None, 0.0123456, 1.0, 12.345, 123.4, 54321.0)] == [
        "-", "0.0123", "1.00", "12.3", "123", "54321",
    ]  # fmt: skip
    assert [seconds(v) for v in (2.5, 0.0035, 4.2e-6)] == ["2.50 s", "3.50 ms", "4.20 µs"]
    assert list(table(("a", "bc"), [("long", "1"), ("s", "22")])) == ["a     bc", "long   1", "s     22"]


def test_open_sizes_need_a_shape(tmp_path: Path) -> None:
    convolution = layer("Conv2D", "c", filters=2, kernel_size=1, use_bias=False)
    model = sequential(convolution, shape=(None, None, None, 3))
    path = write(tmp_path / "m.h5", model, {"c": [("kernel", np.ones((1, 1, 3, 2), np.float32))]})
    with pytest.raises(InputError, match=r"m\.h5: expected sizes for the open ones of \(.*, 3\), found none"):
        load(path, None, 1, 1)
    found, _ = measure(load(path, None, 1, 1, [(6, 4, 3)]), 1, 0.0)
    assert found.rows[0].result == (6, 4, 2)


def test_profiling_with_a_warm_cache_never_imports_numba() -> None:
    measure(load(WEIGHTS, None, 1, 1), 1, 0.0)
    run_python(
        """
        import sys
        from engine.measure.loading import load
        from engine.measure.profile import measure
        import engine.measure.compare, engine.measure.tune
        measure(load("weights/mnist.h5", None, 1, 2), 1, 0.0)
        assert not {"numba", "numpy.random", "PIL"} & set(sys.modules)
        """
    )


def test_inputs_are_spread_over_zero_to_one_and_always_the_same() -> None:
    x = scattered((3, 200, 100))
    assert (x.shape, x.dtype) == ((3, 200, 100), np.float32)
    assert (x.min() >= 0) & (x.max() < 1)
    np.testing.assert_allclose(np.histogram(x, 10, (0, 1))[0] / x.size, 0.1, atol=0.001)
    np.testing.assert_array_equal(x, scattered((3, 200, 100)))
