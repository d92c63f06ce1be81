"""What was tuned is kept beside the kernels, read once, and ignored where it is not whole."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import EngineError, InputError
from engine.plan.machine import Machine, this_machine
from engine.runtime import store, tuning
from engine.runtime.tuning import choice, choices, save
from tests.plan.test_tuned import legal, names, signature, site

MACHINE = this_machine()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of its own, and nothing remembered before or after."""
    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path / "cache"))
    choices.cache_clear()
    yield
    choices.cache_clear()


def file_of(machine: Machine) -> Path:
    folder = store.folder(machine.isa.name)
    assert folder is not None
    return folder / f"{tuning._name(machine)}.o"


def test_nothing_is_there_at_first() -> None:
    assert choices(MACHINE) == {}


def test_choices_are_kept_and_added_to() -> None:
    save(MACHINE, {"a": "x", "b": "y"})
    save(MACHINE, {"b": "z"})
    choices.cache_clear()
    assert choices(MACHINE) == {"a": "x", "b": "z"}


def test_another_machine_has_choices_of_its_own() -> None:
    save(MACHINE, {"a": "x"})
    assert choices(replace(MACHINE, l2=MACHINE.l2 * 2)) == {}


def test_a_process_reads_them_once() -> None:
    assert choices(MACHINE) == {}
    folder = store.folder(MACHINE.isa.name)
    assert folder is not None
    store.save(folder, tuning._name(MACHINE), json.dumps({"form": 1, "choices": {"a": "x"}}).encode())
    assert choices(MACHINE) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff", b"[]", b"null", b"{}", b'{"form": 2, "choices": {}}', b'{"form": 1, "choices": []}',
        b'{"form": 1, "choices": {"a": 1}}', b'{"form": 1, "choices": {"a": ["x"]}}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_of_another_form_is_not_used(content: bytes) -> None:
    folder = store.folder(MACHINE.isa.name)
    assert folder is not None
    store.save(folder, tuning._name(MACHINE), content)
    assert choices(MACHINE) == {}


def test_a_damaged_file_is_not_used() -> None:
    save(MACHINE, {"a": "x"})
    path = file_of(MACHINE)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    choices.cache_clear()
    assert choices(MACHINE) == {}


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(EngineError, match="cannot be kept"):
        save(MACHINE, {"a": "x"})


@pytest.mark.parametrize("memory", ["normal", "low"])
def test_the_plan_follows_what_was_tuned(memory: tuning.Memory) -> None:
    found = site()
    for name in names(found):
        save(MACHINE, {signature(found): name})
        chosen = choice(MACHINE, memory)(legal(found), found)
        inflates = next(getattr(a, "inflates", False) for a in legal(found) if a.name == name)
        assert (chosen.name == name) == (memory == "normal" or not inflates)


WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "mnist.h5"


def test_low_memory_packs_no_more_than_the_weights_and_computes_the_same_classes() -> None:
    from engine.measure.loading import load
    from engine.measure.work import packed_bytes

    plain, low = (load(WEIGHTS, None, 1, 1, memory=memory) for memory in ("normal", "low"))
    sizes = [packed_bytes(model.session.program.steps) for model in (plain, low)]
    raw = 4 * sum(weight.size for weight in plain.graph().weights())
    assert sizes[0] > 1.2 * raw
    assert raw <= sizes[1] < 1.05 * raw
    x = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
    a, b = (engine.load_model(WEIGHTS, memory=memory).predict(x) for memory in ("normal", "low"))
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_any_other_word_for_memory_is_refused() -> None:
    with pytest.raises(InputError, match="memory: expected 'normal' or 'low', found 'little'"):
        engine.load_model(WEIGHTS, memory="little")  # type: ignore[arg-type]
