"""Explicit float32 vectors for Numba code, as wide as an instruction-set class has them.

`Simd(isa)` is a bag of functions to call from compiled code: `load(address)`, `store(address, v)`, `splat(x)`,
`fma(a, b, c)` and so on. Addresses are int64 bytes. Vectors add, subtract, multiply, divide and negate with the
usual operators, with each other and with Python floats.
"""

import operator
from types import SimpleNamespace

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from engine.kernels.isa import Isa

F32, I1, I32, I64 = ir.FloatType(), ir.IntType(1), ir.IntType(32), ir.IntType(64)
POINTER, VOID = ir.PointerType(), ir.VoidType()
INT, FLOAT = types.int64, types.float32


class VectorType(types.Type):
    """The Numba type of a vector of `lanes` float32."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"float32x{lanes}")


@register_model(VectorType)
class VectorModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, vector(numba_type.lanes))


def vector(lanes, element=F32):
    return ir.VectorType(element, lanes)


def pointer(builder, address):
    return builder.inttoptr(address, POINTER)


def declare(builder, name, result, *arguments):
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def broadcast(builder, scalar, lanes):
    undefined = ir.Constant(vector(lanes, scalar.type), ir.Undefined)
    one = builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(vector(lanes, I32), [0] * lanes))


def first_lanes(builder, count, lanes):
    """A mask of the first `count` lanes."""
    order = ir.Constant(vector(lanes, I32), list(range(lanes)))
    return builder.icmp_signed("<", order, broadcast(builder, builder.trunc(count, I32), lanes))


def load_vector(builder, address, lanes):
    return builder.load(pointer(builder, address), typ=vector(lanes), align=4)


def load_masked(builder, address, mask):
    v, m = vector(mask.type.count), mask.type
    f = declare(builder, f"llvm.masked.load.v{m.count}f32.p0", v, POINTER, I32, m, v)
    return builder.call(f, [pointer(builder, address), ir.Constant(I32, 4), mask, ir.Constant(v, None)])


def store_vector(builder, value, address):
    builder.store(value, pointer(builder, address), align=4)


def store_masked(builder, value, address, mask):
    f = declare(builder, f"llvm.masked.store.v{mask.type.count}f32.p0", VOID, value.type, POINTER, I32, mask.type)
    builder.call(f, [value, pointer(builder, address), ir.Constant(I32, 4), mask])


def multiply_add(builder, a, b, c, isa):
    """a·b + c, rounded once where the class has such an instruction; elsewhere twice, never by a library call."""
    if not isa.fma:
        return builder.fadd(builder.fmul(a, b), c)
    kind = f"v{a.type.count}f32" if isinstance(a.type, ir.VectorType) else "f32"
    return builder.call(declare(builder, f"llvm.fma.{kind}", a.type, a.type, a.type, a.type), [a, b, c])


def clamp(builder, value, low, high):
    """Compare and select, so that NaN stays NaN."""
    value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
    return builder.select(builder.fcmp_ordered(">", value, high), high, value)


def _operator(build):
    @intrinsic
    def function(typing, a, b):
        def generate(context, builder, signature, arguments):
            return build(builder, *arguments)

        return a(a, b), generate

    return function


@intrinsic
def _spread(typing, like, x):
    def generate(context, builder, signature, arguments):
        scalar = context.cast(builder, arguments[1], signature.args[1], FLOAT)
        return broadcast(builder, scalar, like.lanes)

    return like(like, x), generate


def _overload_operator(symbol, build):
    function = _operator(build)

    @overload(symbol)
    def implementation(a, b):
        if isinstance(a, VectorType) and isinstance(b, VectorType):
            return lambda a, b: function(a, b)  # noqa: PLW0108  # Numba wants a Python function
        if isinstance(a, VectorType) and isinstance(b, types.Float):
            return lambda a, b: function(a, _spread(a, b))
        if isinstance(a, types.Float) and isinstance(b, VectorType):
            return lambda a, b: function(_spread(b, a), b)
        return None


_overload_operator(operator.add, ir.IRBuilder.fadd)
_overload_operator(operator.sub, ir.IRBuilder.fsub)
_overload_operator(operator.mul, ir.IRBuilder.fmul)
_overload_operator(operator.truediv, ir.IRBuilder.fdiv)


@overload(operator.neg)
def _negate(a):
    return (lambda a: a * np.float32(-1.0)) if isinstance(a, VectorType) else None


@intrinsic
def i64_at(typing, address):
    """The int64 at an address."""

    def generate(context, builder, signature, arguments):
        return builder.load(pointer(builder, arguments[0]), typ=I64, align=8)

    return INT(INT), generate


@intrinsic
def store_i64(typing, address, value):
    """Write an int64 to an address."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[1], pointer(builder, arguments[0]), align=8)
        return context.get_dummy_value()

    return types.void(INT, INT), generate


@intrinsic
def floats(typing, address):
    """An address as a pointer to float32, for `carray`."""
    return types.CPointer(FLOAT)(INT), lambda context, builder, s, values: pointer(builder, values[0])


@intrinsic
def f32_bits(typing, bits):
    """The float32 whose bits are the low half of an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(builder.trunc(arguments[0], I32), F32)

    return FLOAT(INT), generate


@intrinsic
def call(typing, function, *arguments):
    """Call a compiled kernel at an address: Numba's two leading pointers, then int64 arguments."""

    def generate(context, builder, signature, values):
        address, packed = values
        ints = cgutils.unpack_tuple(builder, packed, len(arguments))
        kind = ir.FunctionType(I32, [POINTER, POINTER] + [I64] * len(ints))
        slot = cgutils.alloca_once(builder, I64)
        f = builder.inttoptr(address, kind.as_pointer())
        builder.call(f, [slot, slot, *ints])
        return context.get_dummy_value()

    return types.void(INT, types.StarArgTuple.from_types([INT] * len(arguments))), generate


def Simd(isa: Isa) -> SimpleNamespace:  # noqa: N802  # the one name for the bag and for what makes it
    """The vector functions of an instruction-set class."""
    lanes, kind = isa.lanes, VectorType(isa.lanes)

    @intrinsic
    def load(typing, address):
        return kind(INT), lambda c, b, s, a: load_vector(b, a[0], lanes)

    @intrinsic
    def load_first(typing, address, count):
        return kind(INT, INT), lambda c, b, s, a: load_masked(b, a[0], first_lanes(b, a[1], lanes))

    @intrinsic
    def store(typing, address, value):
        def generate(context, builder, signature, arguments):
            store_vector(builder, arguments[1], arguments[0])
            return context.get_dummy_value()

        return types.void(INT, kind), generate

    @intrinsic
    def store_first(typing, address, value, count):
        def generate(context, builder, signature, arguments):
            address, value, count = arguments
            store_masked(builder, value, address, first_lanes(builder, count, lanes))
            return context.get_dummy_value()

        return types.void(INT, kind, INT), generate

    @intrinsic
    def splat(typing, x):
        def generate(context, builder, signature, arguments):
            return broadcast(builder, context.cast(builder, arguments[0], signature.args[0], FLOAT), lanes)

        return kind(x), generate

    @intrinsic
    def splat_at(typing, address):
        def generate(context, builder, signature, arguments):
            return broadcast(builder, builder.load(pointer(builder, arguments[0]), typ=F32, align=4), lanes)

        return kind(INT), generate

    @intrinsic
    def fma(typing, a, b, c):
        return kind(kind, kind, kind), lambda context, builder, s, v: multiply_add(builder, *v, isa)

    @intrinsic
    def where_less(typing, a, b, yes, no):
        """Lane by lane: a < b → yes, else (and where either is NaN) no."""

        def generate(context, builder, signature, arguments):
            a, b, yes, no = arguments
            return builder.select(builder.fcmp_ordered("<", a, b), yes, no)

        return kind(kind, kind, kind, kind), generate

    @intrinsic
    def where_nan(typing, a, yes, no):
        def generate(context, builder, signature, arguments):
            a, yes, no = arguments
            return builder.select(builder.fcmp_unordered("uno", a, a), yes, no)

        return kind(kind, kind, kind), generate

    @intrinsic
    def two_to(typing, biased):
        """2^(n + 126 − 127) from the float n + 1.5·2^23, whose low bits are the integer n ≥ −126."""

        def generate(context, builder, signature, arguments):
            integers = vector(lanes, I32)
            n = builder.bitcast(arguments[0], integers)
            n = builder.add(n, ir.Constant(integers, [126] * lanes))
            return builder.bitcast(builder.shl(n, ir.Constant(integers, [23] * lanes)), vector(lanes))

        return kind(kind), generate

    @intrinsic
    def root(typing, a):
        def generate(context, builder, signature, arguments):
            v = vector(lanes)
            return builder.call(declare(builder, f"llvm.sqrt.v{lanes}f32", v, v), arguments)

        return kind(kind), generate

    @intrinsic
    def lane(typing, a, index):
        return FLOAT(kind, INT), lambda c, b, s, v: b.extract_element(v[0], v[1])

    def _upto(builder, address, count, rest):
        """Whole vectors by a plain load, the first `count` lanes by a masked one."""
        result = cgutils.alloca_once(builder, vector(lanes))
        with builder.if_else(builder.icmp_signed(">=", count, ir.Constant(I64, lanes))) as (whole, part):
            with whole:
                builder.store(load_vector(builder, address, lanes), result)
            with part:
                mask = first_lanes(builder, count, lanes)
                builder.store(builder.select(mask, load_masked(builder, address, mask), rest), result)
        return builder.load(result)

    @intrinsic
    def load_upto(typing, address, count):
        """The first `count` floats at an address, then zeros; any count from 1."""
        return kind(INT, INT), lambda c, b, s, v: _upto(b, *v, ir.Constant(vector(lanes), None))

    @intrinsic
    def load_rest(typing, address, count, other):
        """As `load_upto`, with the lanes of `other` where `load_upto` has zeros."""
        return kind(INT, INT, kind), lambda c, b, s, v: _upto(b, *v)

    @intrinsic
    def store_upto(typing, address, value, count):
        """The first `count` lanes; any count from 1."""

        def generate(context, builder, signature, arguments):
            address, value, count = arguments
            with builder.if_else(builder.icmp_signed(">=", count, ir.Constant(I64, lanes))) as (whole, part):
                with whole:
                    store_vector(builder, value, address)
                with part:
                    store_masked(builder, value, address, first_lanes(builder, count, lanes))
            return context.get_dummy_value()

        return types.void(INT, kind, INT), generate

    return SimpleNamespace(
        isa=isa, vector_type=kind, load=load, load_first=load_first, load_upto=load_upto, load_rest=load_rest,
        store=store, store_first=store_first, store_upto=store_upto, splat=splat, splat_at=splat_at, fma=fma,
        where_less=where_less, where_nan=where_nan, two_to=two_to, root=root, lane=lane,
    )  # fmt: skip
