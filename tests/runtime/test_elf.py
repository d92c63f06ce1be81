"""Object files are placed in memory without LLVM, and LLVM still does what is not understood."""

import ctypes

import llvmlite.binding as llvm
import numpy as np
import pytest

import engine
from engine.kernels.isa import ISAS
from engine.plan.machine import fits, this_machine
from engine.runtime import elf, native, store
from tests.processes import ROOT, run_python

pytestmark = pytest.mark.skipif(not elf.is_at_home(), reason="only Linux on x86-64 has such files")

LOCAL = """
@numbers = internal constant [3 x i32] [i32 5, i32 7, i32 11]
define internal i32 @twice(i32 %x) noinline { %y = add i32 %x, %x ret i32 %y }
define i32 @kernel(i32 %i) {
  %p = getelementptr [3 x i32], ptr @numbers, i32 0, i32 %i
  %x = load i32, ptr %p
  %y = call i32 @twice(i32 %x)
  ret i32 %y
}
"""
OUTSIDE = "declare i32 @abs(i32) define i32 @kernel(i32 %i) { %y = call i32 @abs(i32 %i) ret i32 %y }"
WRITABLE = "@n = internal global i32 4 define i32 @kernel(i32 %i) { store i32 %i, ptr @n ret i32 %i }"


def object_file(text: str) -> bytes:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(reloc="pic", codemodel="default")
    code: bytes = machine.emit_object(llvm.parse_assembly(text))
    return code


def test_constants_and_functions_of_the_file_are_found() -> None:
    address = elf.place(object_file(LOCAL), b"kernel")
    assert address is not None
    kernel = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32)(address)
    assert [kernel(i) for i in range(3)] == [10, 14, 22]


@pytest.mark.parametrize("text", [OUTSIDE, WRITABLE], ids=["outside", "writable"])
def test_what_needs_more_is_left_to_llvm(text: str) -> None:
    code = object_file(text)
    assert elf.place(code, b"kernel") is None
    kernel = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32)(native._linked_by_llvm("test", code))
    assert kernel(3) == 3


def test_another_kind_of_file_or_symbol_is_left_to_llvm() -> None:
    code = object_file(LOCAL)
    for other in (b"", b"MZ" + bytes(100), code[:18] + bytes((183, 0)) + code[20:]):
        assert elf.place(other, b"kernel") is None
    assert elf.place(code, b"another") is None


@pytest.mark.parametrize("isa", [isa for isa in ISAS if fits(isa)], ids=lambda isa: isa.name)
def test_kernels_need_no_other_linker(isa: object) -> None:
    names = [
        "run",
        "worker",
        "tile",
        "gemm",
        "conv_direct",
        "conv_winograd",
        "softmax",
        "activate/gelu",
        "recurrent/lstm",
    ]
    native.addresses(names, isa)  # type: ignore[arg-type]
    folder = store.folder(isa.name)  # type: ignore[attr-defined]
    assert folder
    for name in names:
        code = store.load(folder, name)
        assert code
        assert elf.place(code, b"kernel") is not None


def test_both_linkers_make_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    path = ROOT / "weights" / "mnist.h5"
    expected = engine.load_model(path)(x)
    monkeypatch.setattr(native, "_addresses", {})
    monkeypatch.setattr(elf, "place", lambda code, symbol: None)
    np.testing.assert_array_equal(engine.load_model(path)(x), expected)
    assert this_machine().isa.name in {isa for isa, _ in native._addresses}


def test_a_warm_process_loads_no_llvm() -> None:
    code = """
import sys, numpy as np, engine
model = engine.load_model("weights/mnist.h5")
model(np.zeros((1, 28, 28, 1), np.float32))
print("llvmlite.binding" in sys.modules)
"""
    run_python(code)
    assert run_python(code).stdout.split() == ["False"]
