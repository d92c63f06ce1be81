"""Compile kernels to object code with Numba. Runs in a child process, so that the host never imports numba.

The child reads the name of a class and then kernel names, a line each, from standard input, and answers each kernel
on standard output with the length of its object code (8 bytes, little endian) and the code.
"""

import sys
from importlib import import_module

import llvmlite.binding as llvm
from numba import njit, types

from engine.kernels.isa import Isa, find_isa
from engine.kernels.simd import Simd

TILE = types.void(*[types.int64] * 4)
SYMBOL = "kernel"


def compile_kernel(name: str, isa: Isa) -> bytes:
    """The object code of kernel `module` or `module/variant`, exporting the symbol `kernel`."""
    module_name, _, variant = name.partition("/")
    module = import_module(f"engine.kernels.{module_name}")
    signature = getattr(module, "SIGNATURE", TILE)
    function = njit(signature, nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(
        module.build(Simd(isa), variant)
    )
    machine = _target_machine(isa)
    ir_module = llvm.parse_assembly(function.inspect_llvm(signature.args))
    _export_only(ir_module, function.overloads[signature.args].fndesc.llvm_func_name, machine)
    return machine.emit_object(ir_module)


def _target_machine(isa: Isa) -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(cpu=isa.cpu, opt=3, reloc="pic", codemodel="default")


def _export_only(module: llvm.ModuleRef, symbol: str, machine: llvm.TargetMachine) -> None:
    for function in module.functions:
        if not function.is_declaration and function.name != symbol:
            function.linkage = "internal"
    module.get_function(symbol).name = SYMBOL
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(0))
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)


def main() -> None:
    """Serve kernels until standard input ends."""
    isa = find_isa(sys.stdin.readline().strip())
    for line in sys.stdin:
        code = compile_kernel(line.strip(), isa)
        sys.stdout.buffer.write(len(code).to_bytes(8, "little") + code)
        sys.stdout.buffer.flush()
