"""What the processor says of itself, by the file and by LLVM."""

import sys
from collections.abc import Iterator
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from engine.kernels.isa import ISAS
from engine.plan import processor
from engine.plan.processor import this_processor


@pytest.fixture(autouse=True)
def _asked_afresh() -> Iterator[None]:
    this_processor.cache_clear()
    yield
    this_processor.cache_clear()


def test_the_file_and_llvm_agree() -> None:
    found = this_processor()
    features = llvm.get_host_cpu_features()
    for isa in ISAS[:3]:
        there = llvm.get_process_triple().startswith(isa.triple) and all(features.get(name) for name in isa.needs)
        assert (found.architecture == isa.triple and found.features.issuperset(isa.needs)) == there


@pytest.mark.parametrize("text", [None, "", "processor\t: 0\nmodel name\t: nothing\n"])
def test_without_the_file_llvm_is_asked(text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(processor, "CPUINFO", path)
    assert this_processor().name == llvm.get_host_cpu_name()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has the file")
def test_the_first_processor_of_the_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("vendor_id\t: V\nmodel name\t: M 5\nflags\t\t: fpu ssse3 sse4_1 popcnt\n\nflags\t\t: avx2\n")
    monkeypatch.setattr(processor, "CPUINFO", path)
    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    found = this_processor()
    assert found.features == {"fpu", "ssse3", "sse4.1", "popcnt"}
    assert "M 5" in found.name


def test_an_apple_processor_has_the_name_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(llvm, "get_process_triple", lambda: "arm64-apple-darwin23.0.0")
    assert this_processor().architecture == "aarch64"
