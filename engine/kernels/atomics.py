"""Atomic memory access, spin-wait hints and the denormal switch, as Numba intrinsics. Addresses are int64."""

from types import SimpleNamespace

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.isa import Isa
from engine.kernels.simd import I32, I64, INT, POINTER, VOID, declare

_MXCSR_FLUSH = 0x8040
_FPCR_FLUSH = 1 << 24


def _word(builder, address):
    return builder.inttoptr(address, I64.as_pointer())


@intrinsic
def load_acquire(typing, address):
    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_word(builder, arguments[0]), "acquire", 8)

    return INT(INT), generate


@intrinsic
def store_release(typing, address, value):
    def generate(context, builder, signature, arguments):
        builder.store_atomic(arguments[1], _word(builder, arguments[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(INT, INT), generate


@intrinsic
def compare_swap(typing, address, old, new):
    def generate(context, builder, signature, arguments):
        address, old, new = arguments
        pair = builder.cmpxchg(_word(builder, address), old, new, "acq_rel", "acquire")
        return builder.extract_value(pair, 1)

    return types.boolean(INT, INT, INT), generate


@intrinsic
def call_plain(typing, function):
    """Call a C function without arguments at an address."""

    def generate(context, builder, signature, arguments):
        builder.call(builder.inttoptr(arguments[0], ir.FunctionType(VOID, []).as_pointer()), [])
        return context.get_dummy_value()

    return types.void(INT), generate


def Processor(isa: Isa) -> SimpleNamespace:  # noqa: N802  # a bag, as Simd is
    """pause(); flush_denormals() → the mode before; restore(mode)."""
    x86 = isa.triple == "x86_64"

    @intrinsic
    def pause(typing):
        def generate(context, builder, signature, arguments):
            if x86:
                builder.call(declare(builder, "llvm.x86.sse2.pause", VOID), [])
            else:
                builder.call(declare(builder, "llvm.aarch64.hint", VOID, I32), [ir.Constant(I32, 1)])
            return context.get_dummy_value()

        return types.void(), generate

    @intrinsic
    def flush_denormals(typing):
        def generate(context, builder, signature, arguments):
            if x86:
                slot = cgutils.alloca_once(builder, I32)
                builder.call(declare(builder, "llvm.x86.sse.stmxcsr", VOID, POINTER), [slot])
                old = builder.zext(builder.load(slot), I64)
            else:
                old = builder.call(declare(builder, "llvm.aarch64.get.fpcr", I64), [])
            _set_mode(builder, builder.or_(old, ir.Constant(I64, _MXCSR_FLUSH if x86 else _FPCR_FLUSH)))
            return old

        return INT(), generate

    @intrinsic
    def restore(typing, mode):
        def generate(context, builder, signature, arguments):
            _set_mode(builder, arguments[0])
            return context.get_dummy_value()

        return types.void(INT), generate

    def _set_mode(builder, mode):
        if x86:
            slot = cgutils.alloca_once(builder, I32)
            builder.store(builder.trunc(mode, I32), slot)
            builder.call(declare(builder, "llvm.x86.sse.ldmxcsr", VOID, POINTER), [slot])
        else:
            builder.call(declare(builder, "llvm.aarch64.set.fpcr", VOID, I64), [mode])

    return SimpleNamespace(pause=pause, flush_denormals=flush_denormals, restore=restore)
