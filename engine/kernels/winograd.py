"""The transforms of Winograd's F(4×4, 3×3) on vectors of channels (Lavin & Gray 2016), points 0, ±1, ±2, ∞.

A 6×6 tile d of the input gives 4×4 outputs: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, the product ⊙ summed over channels by
36 matrix products. G g Gᵀ is computed once, in float64, when the weights are packed.
"""

from types import SimpleNamespace

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.kernels.simd import (
    F32,
    I32,
    I64,
    broadcast,
    clamp,
    first_lanes,
    load_vector,
    multiply_add,
    store_masked,
    store_vector,
    vector,
)


def Winograd(simd) -> SimpleNamespace:  # noqa: N802  # a bag, as Simd is
    """input_transform(...) and output_transform(...): one tile, one vector of channels. Strides in bytes."""
    isa, lanes = simd.isa, simd.isa.lanes

    def at(builder, base, *steps):
        for stride, index in steps:
            base = builder.add(base, builder.mul(stride, ir.Constant(I64, index)))
        return base

    def add_scaled(builder, factor, x, y):
        constant = ir.Constant(vector(lanes), [ir.Constant(F32, factor)] * lanes)
        return multiply_add(builder, constant, x, y, isa)

    def inner(builder, d):
        """Bᵀ d: six values of a line from six."""
        scaled = lambda factor, x, y: add_scaled(builder, factor, x, y)  # noqa: E731
        even, odd = scaled(-4.0, d[2], d[4]), scaled(-4.0, d[1], d[3])
        near, far = builder.fsub(d[4], d[2]), builder.fsub(d[3], d[1])
        return [
            scaled(4.0, d[0], scaled(-5.0, d[2], d[4])),
            builder.fadd(even, odd),
            builder.fsub(even, odd),
            scaled(2.0, far, near),
            scaled(-2.0, far, near),
            scaled(4.0, d[1], scaled(-5.0, d[3], d[5])),
        ]

    def outer(builder, m):
        """Aᵀ m: four values of a line from six."""
        scaled = lambda factor, x, y: add_scaled(builder, factor, x, y)  # noqa: E731
        sum1, sum2 = builder.fadd(m[1], m[2]), builder.fadd(m[3], m[4])
        gap1, gap2 = builder.fsub(m[1], m[2]), builder.fsub(m[3], m[4])
        return [
            builder.fadd(builder.fadd(m[0], sum1), sum2),
            scaled(2.0, gap2, gap1),
            scaled(4.0, sum2, sum1),
            builder.fadd(scaled(8.0, gap2, gap1), m[5]),
        ]

    @intrinsic
    def input_transform(typing, source, row, pixel, to, plane):
        """Read 6×6 vectors, `row` and `pixel` apart; write 36, `plane` apart."""

        def generate(context, builder, signature, arguments):
            source, row, pixel, to, plane = arguments
            columns = []
            for j in range(6):
                line = [load_vector(builder, at(builder, source, (row, i), (pixel, j)), lanes) for i in range(6)]
                columns.append(inner(builder, line))
            for i in range(6):
                for j, value in enumerate(inner(builder, [columns[j][i] for j in range(6)])):
                    store_vector(builder, value, at(builder, to, (plane, 6 * i + j)))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), generate

    @intrinsic
    def output_transform(typing, source, plane, to, row, pixel, rows, columns, spare, bias, low, high, count):
        """Read 36 vectors, `plane` apart; write 4×4 with bias and clamp, `count` lanes of each.

        Pixels beyond `rows` and `columns` go to `spare`.
        """

        def generate(context, builder, signature, arguments):
            source, plane, to, row, pixel, rows, columns, spare, bias, low, high, count = arguments
            lines = []
            for j in range(6):
                line = [load_vector(builder, at(builder, source, (plane, 6 * i + j)), lanes) for i in range(6)]
                lines.append(outer(builder, line))
            offset = load_vector(builder, bias, lanes)
            limits = [broadcast(builder, builder.bitcast(builder.trunc(b, I32), F32), lanes) for b in (low, high)]
            mask = first_lanes(builder, count, lanes)
            for i in range(4):
                for j, value in enumerate(outer(builder, [lines[j][i] for j in range(6)])):
                    value = clamp(builder, builder.fadd(value, offset), *limits)  # noqa: PLW2901
                    inside = builder.and_(
                        builder.icmp_signed("<", ir.Constant(I64, i), rows),
                        builder.icmp_signed("<", ir.Constant(I64, j), columns),
                    )
                    place = builder.select(inside, at(builder, to, (row, i), (pixel, j)), spare)
                    store_masked(builder, value, place, mask)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 12), generate

    return SimpleNamespace(input_transform=input_transform, output_transform=output_transform)
