"""What the plan knows of the machine, and how a user may lower it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import KernelError
from engine.kernels.isa import ISAS, find_isa
from engine.plan import machine
from engine.plan.machine import Machine, this_machine
from engine.plan.processor import Processor

FITTING = [isa for isa in ISAS if machine.fits(isa)]


@pytest.fixture(autouse=True)
def _detected_afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ENGINE_ISA", raising=False)
    this_machine.cache_clear()
    yield
    this_machine.cache_clear()


def fake_cpu(monkeypatch: pytest.MonkeyPatch, triple: str, *features: str) -> None:
    processor = Processor(triple.partition("-")[0], "a processor", frozenset(features))
    monkeypatch.setattr(machine, "this_processor", lambda: processor)


def test_the_best_class_is_taken() -> None:
    assert this_machine().isa == FITTING[0]
    assert this_machine() is this_machine()


@pytest.mark.parametrize("isa", FITTING, ids=lambda isa: isa.name)
def test_a_lower_class_may_be_chosen(isa: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_ISA", isa.name)  # type: ignore[attr-defined]
    assert this_machine().isa == isa


@pytest.mark.parametrize("name", ["sse9", "X86-64-V3", "x86-64-v3 "])
def test_an_unknown_class_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_ISA", name)
    with pytest.raises(KernelError, match=r"ENGINE_ISA: expected one of .*, found") as caught:
        this_machine()
    assert repr(name) in str(caught.value)
    assert FITTING[0].name in str(caught.value)


def test_a_class_that_the_machine_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cpu(monkeypatch, "x86_64-unknown-linux-gnu", *find_isa("x86-64-v3").needs, *find_isa("x86-64-v2").needs)
    monkeypatch.setenv("ENGINE_ISA", "x86-64-v4")
    with pytest.raises(KernelError, match="expected one of x86-64-v3, x86-64-v2, found 'x86-64-v4'"):
        this_machine()


@pytest.mark.parametrize(
    ("triple", "features", "expected"),
    [
        ("x86_64-unknown-linux-gnu", ISAS[0].needs + ISAS[2].needs, "x86-64-v4"),
        ("x86_64-apple-darwin22.0.0", ISAS[1].needs, "x86-64-v3"),
        ("x86_64-pc-windows-msvc", ("sse4.1", "ssse3", "popcnt", "avx2"), "x86-64-v2"),
        ("aarch64-unknown-linux-gnu", (), "neon"),
    ],
)
def test_class_by_features(
    triple: str, features: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cpu(monkeypatch, triple, *features)
    assert this_machine().isa.name == expected


def test_a_processor_without_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cpu(monkeypatch, "riscv64-unknown-linux-gnu")
    with pytest.raises(KernelError, match=r"no kernels for this processor .*: expected one of x86-64-v4, "):
        this_machine()


def test_cache_sizes_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entries = [("Data", "1", "48K"), ("Instruction", "1", "32K"), ("Unified", "2", "2M"), ("Unified", "3", "unknown")]
    for i, (kind, level, size) in enumerate(entries):
        folder = tmp_path / f"index{i}"
        folder.mkdir()
        for name, text in (("type", kind), ("level", level), ("size", size)):
            (folder / name).write_text(text + "\n")
    (tmp_path / "index9").mkdir()
    monkeypatch.setattr(machine, "Path", lambda _: tmp_path)
    found = this_machine()
    assert (found.l1, found.l2, found.l3) == (48 << 10, 2 << 20, Machine(FITTING[0]).l3)


def test_without_cache_sizes_there_are_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "Path", lambda _: tmp_path / "none")
    assert this_machine() == Machine(FITTING[0])
