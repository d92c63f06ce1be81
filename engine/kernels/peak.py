"""The machine's multiply-add peak: independent chains on registers, no memory. `passes` times `CHAINS` vectors."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.isa import CHAINS
from engine.kernels.simd import F32, I64, multiply_add, pointer, vector

SIGNATURE = types.void(types.int64, types.int64)


def build(simd, variant):
    isa, lanes = simd.isa, simd.isa.lanes

    @intrinsic
    def chains(typing, passes, out):
        def generate(context, builder, signature, arguments):
            passes, out = arguments
            scale = ir.Constant(vector(lanes), [ir.Constant(F32, 0.999)] * lanes)
            sums = [cgutils.alloca_once_value(builder, scale) for _ in range(CHAINS)]
            with cgutils.for_range(builder, passes):
                for slot in sums:
                    builder.store(multiply_add(builder, builder.load(slot), scale, scale, isa), slot)
            for i, slot in enumerate(sums):
                place = builder.add(out, ir.Constant(I64, i * lanes * 4))
                builder.store(builder.load(slot), pointer(builder, place), align=4)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    def kernel(passes, out):
        chains(passes, out)

    return kernel
