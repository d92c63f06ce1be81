"""Rounding, equality and the parts of a float, on vectors: one instruction or two each."""

from types import SimpleNamespace

from llvmlite import ir
from numba.extending import intrinsic

from engine.kernels.simd import I32, VectorType, declare, vector


def Bits(isa) -> SimpleNamespace:  # noqa: N802  # a bag, as Simd is
    """`floor`, `ceil`, `nearest` (ties to even), `where_equal(a, b, yes, no)`, and `exponent` and `significand`.

    For x > 0 and normal, x = significand(x) · 2^exponent(x) with a significand in [1, 2).
    """
    lanes, kind = isa.lanes, VectorType(isa.lanes)
    floats, ints = vector(lanes), vector(lanes, I32)

    def rounding(name):
        @intrinsic
        def function(typing, a):
            def generate(context, builder, signature, arguments):
                return builder.call(declare(builder, f"llvm.{name}.v{lanes}f32", floats, floats), arguments)

            return kind(kind), generate

        return function

    @intrinsic
    def where_equal(typing, a, b, yes, no):
        def generate(context, builder, signature, arguments):
            a, b, yes, no = arguments
            return builder.select(builder.fcmp_ordered("==", a, b), yes, no)

        return kind(kind, kind, kind, kind), generate

    def every(value):
        return ir.Constant(ints, [value] * lanes)

    @intrinsic
    def exponent(typing, a):
        def generate(context, builder, signature, arguments):
            n = builder.lshr(builder.bitcast(arguments[0], ints), every(23))
            return builder.sitofp(builder.sub(builder.and_(n, every(255)), every(127)), floats)

        return kind(kind), generate

    @intrinsic
    def significand(typing, a):
        def generate(context, builder, signature, arguments):
            n = builder.and_(builder.bitcast(arguments[0], ints), every(0x7FFFFF))
            return builder.bitcast(builder.or_(n, every(0x3F800000)), floats)

        return kind(kind), generate

    return SimpleNamespace(
        floor=rounding("floor"), ceil=rounding("ceil"), nearest=rounding("rint"), where_equal=where_equal,
        exponent=exponent, significand=significand,
    )  # fmt: skip
