"""A sample of the mutants of `tests/fuzz`: only our errors come out. `tests/fuzz/RECORD.md` has the large counts."""

import json
import sys
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError, ModelFileError
from engine.frontend import open_model, strict_json
from tests.frontend.handmade import dense_model, dense_weights, functional, layer, write
from tests.fuzz.mutate import enlarge, mutate_bytes, mutate_json
from tests.fuzz.runner import fuzz
from tests.fuzz.targets import TARGETS

SAMPLE = 70

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
words = st.sampled_from(["Dense", "Conv2D", "Activation", "InputLayer", "Add", "Sequential", "Functional", "Lambda"])
configs = st.dictionaries(
    st.sampled_from(["units", "activation", "name", "batch_input_shape", "layers", "filters", "kernel_size", "dtype"]),
    json_values,
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with some weights."""
    return write(tmp_path_factory.mktemp("fuzz") / "m.h5", dense_model(), dense_weights()).read_bytes()


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS binds on Linux")


@on_linux
@pytest.mark.parametrize("target", TARGETS)
def test_a_sample_of_mutants(target: str) -> None:
    tally = fuzz(target, 10_000_000, SAMPLE)
    assert not tally.problems, "\n".join(f"{seed}: {text}" for seed, text in tally.problems.items())
    assert tally.count == SAMPLE


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("target", TARGETS)
def test_many_mutants(target: str) -> None:
    tally = fuzz(target, 0, 3000)
    assert not tally.problems, "\n".join(f"{seed}: {text}" for seed, text in tally.problems.items())


@settings(max_examples=150, deadline=None)
@given(class_name=words, config=configs, inbound=json_values)
def test_layers_of_any_description(weights: bytes, class_name: str, config: dict[str, Any], inbound: Any) -> None:
    layers = [layer("InputLayer", "x", [], batch_shape=[None, 4]), layer("Dense", "y", inbound)]
    layers[1] |= {"class_name": class_name, "config": config}
    arch = json.dumps(functional(layers, [["x", 0, 0]], [["y", 0, 0]])).encode()
    with suppress(EngineError), open_model(weights, arch) as network:
        for weight in network.graph.weights():
            weight.read()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_as_json(text: bytes) -> None:
    with suppress(ModelFileError):
        value = strict_json.parse(text, "it")
        assert strict_json.parse(json.dumps(value), "it") == value


def test_mutants_are_made_by_their_seed_alone() -> None:
    content, value = bytes(range(256)) * 8, dense_model()
    for seed in range(50):
        assert mutate_bytes(Random(seed), content) == mutate_bytes(Random(seed), content)
        assert repr(mutate_json(Random(seed), value)) == repr(mutate_json(Random(seed), value))
        assert enlarge(Random(seed), value) != value
    assert value == dense_model()


@on_linux
def test_the_runner_names_crashes_hangs_and_foreign_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer itself is tested: a target that crashes at one seed, hangs at another and raises at a third."""
    code = """
import ctypes, sys
from tests.fuzz import child, targets
child.SECONDS = 1.0
def attempt(seed):
    if seed == 3: ctypes.string_at(0)
    while seed == 5: pass
    if seed == 7: raise KeyError("x")
targets.prepare = lambda target, seed: lambda: attempt(seed)
child.main("config", int(sys.argv[1]), int(sys.argv[2]))
"""
    monkeypatch.setattr("tests.fuzz.runner.command", lambda target, first, count: [
        sys.executable, "-c", code, str(first), str(count)])  # fmt: skip
    tally = fuzz("config", 0, 10)
    assert tally.outcomes == {"accepted": 7, "SIGSEGV": 1, "hang": 1, "KeyError": 1}
    assert sorted(tally.problems) == [3, 5, 7]
    assert "KeyError" in tally.problems[7]
