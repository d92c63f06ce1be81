"""The register tile of every matrix product and direct convolution: mr rows by nv vectors, held in registers.

    for r in range(segments_r):                      C (mr × nv·lanes)
        for s in range(segments_s):                  += A (mr × k, one scalar a row and step, broadcast)
            for k in range(length):                   · B (k × nv·lanes, packed, read once, in order)

Row i of A starts at a + i·a_row; segment (r, s) lies r·a_r + s·a_s bytes further: a matrix product has one segment, a
convolution one for each kernel row (or tap, where dilation or groups leave gaps), so that an image is multiplied in
place. Every element is one chain of multiply-adds over ascending r, s, k, whatever the tile; then bias, then the
clamp to [low, high], which is how ReLU is computed (NaN stays NaN).

A single row may span `WIDE` whole panels of B, or twice as many, `a_row` bytes apart: more sums in flight where one
chain would wait.

Arguments are int64: addresses and strides in bytes; `fresh` 0 continues from what C holds; `finish` 0 leaves bias and
clamp to a later call; `tail` is the number of columns in the last vector; `low`, `high` are float32 bits.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.isa import WIDE
from engine.kernels.simd import (
    F32,
    I64,
    VOID,
    broadcast,
    clamp,
    first_lanes,
    load_masked,
    load_vector,
    multiply_add,
    pointer,
    store_masked,
    store_vector,
    vector,
)

NAMES = (
    "a", "a_row", "a_r", "segments_r", "a_s", "segments_s", "length", "b", "c", "c_row", "bias", "fresh", "finish",
    "tail", "low", "high",
)  # fmt: skip
SIGNATURE = types.void(*[types.int64] * (len(NAMES) + 2))


def build(simd, variant):
    isa = simd.isa

    @intrinsic
    def dispatch(typing, *arguments):
        def generate(context, builder, signature, values):
            *rest, mr, nv = cgutils.unpack_tuple(builder, values[0], len(NAMES) + 2)
            end = builder.append_basic_block("end")
            switch = builder.switch(builder.add(builder.mul(nv, _int(64)), mr), end)
            shapes = [(rows, vectors) for vectors in range(1, isa.nv + 1) for rows in heights(isa.mr)]
            for rows, vectors in [*shapes, (1, WIDE * isa.nv), (1, 2 * WIDE * isa.nv)]:
                block = builder.append_basic_block(f"tile_{rows}x{vectors}")
                switch.add_case(_int(64 * vectors + rows), block)
                with builder.goto_block(block):
                    builder.call(_tile_function(builder.module, rows, vectors, isa), rest)
                    builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()

        count = len(NAMES) + 2
        return types.void(types.StarArgTuple.from_types([types.int64] * count)), generate

    def kernel(
        a, a_row, a_r, segments_r, a_s, segments_s, length, b, c, c_row, bias, fresh, finish, tail, low, high, mr, nv
    ):
        dispatch(
            a, a_row, a_r, segments_r, a_s, segments_s, length, b, c, c_row, bias, fresh, finish, tail, low, high,
            mr, nv,
        )  # fmt: skip

    return kernel


def heights(mr):
    """The tile heights that exist: every one up to 8, then even ones. Odd ones in between are two tiles."""
    return [rows for rows in range(1, mr + 1) if rows <= 8 or rows % 2 == 0]


def row_cutter(mr):
    """next_height(rows left): cuts rows into tiles of nearly equal, existing heights."""

    @njit
    def next_height(left):
        tiles = (left + mr - 1) // mr
        height = (left + tiles - 1) // tiles
        if height <= 8 or height % 2 == 0:
            return height
        return height + 1 if left > mr else (height + 1) // 2

    return next_height


def _int(value):
    return ir.Constant(I64, value)


def _add(builder, address, *terms):
    for term in terms:
        address = builder.add(address, term if isinstance(term, ir.Value) else _int(term))
    return address


def _tile_function(module, mr, nv, isa):
    """One function a tile shape, called through a switch, so that each shape keeps the registers to itself."""
    function = ir.Function(module, ir.FunctionType(VOID, [I64] * len(NAMES)), f"tile_{mr}x{nv}")
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    _Tile(builder, dict(zip(NAMES, function.args, strict=True)), mr, nv, isa).generate()
    builder.ret_void()
    return function


class _Tile:
    def __init__(self, builder, arguments, mr, nv, isa):
        self.builder, self.arg, self.mr, self.nv, self.isa = builder, arguments, mr, nv, isa
        self.cells = [(i, j) for i in range(mr) for j in range(nv)]
        self.sums = {cell: cgutils.alloca_once(builder, vector(isa.lanes)) for cell in self.cells}
        self.mask = first_lanes(builder, arguments["tail"], isa.lanes)

    def generate(self):
        self._start()
        self._multiply()
        with self.builder.if_then(self.builder.icmp_signed("!=", self.arg["finish"], _int(0))):
            self._finish()
        full = self.builder.icmp_signed("==", self.arg["tail"], _int(self.isa.lanes))
        with self.builder.if_else(full) as (whole, part):
            with whole:
                self._store(self.nv)
            with part:
                self._store(self.nv - 1)

    def _store(self, plain):
        """The first `plain` vectors of each row by plain stores, which are faster than masked ones."""
        for i, j in self.cells:
            value = self.builder.load(self.sums[i, j])
            if j < plain:
                store_vector(self.builder, value, self._place(i, j))
            else:
                store_masked(self.builder, value, self._place(i, j), self.mask)

    def _place(self, i, j):
        row = self.builder.mul(self.arg["c_row"], _int(i))
        return _add(self.builder, self.arg["c"], row, j * self.isa.lanes * 4)

    def _start(self):
        builder = self.builder
        fresh = builder.icmp_signed("!=", self.arg["fresh"], _int(0))
        with builder.if_else(fresh) as (then, otherwise):
            with then:
                for slot in self.sums.values():
                    builder.store(ir.Constant(vector(self.isa.lanes), None), slot)
            with otherwise:
                for i, j in self.cells:
                    last = j == self.nv - 1
                    place = self._place(i, j)
                    old = (
                        load_masked(builder, place, self.mask) if last else load_vector(builder, place, self.isa.lanes)
                    )
                    builder.store(old, self.sums[i, j])

    def _multiply(self):
        builder, arg = self.builder, self.arg
        panel = cgutils.alloca_once_value(builder, arg["b"])
        with cgutils.for_range(builder, arg["segments_r"]) as r:
            row = builder.add(arg["a"], builder.mul(r.index, arg["a_r"]))
            with cgutils.for_range(builder, arg["segments_s"]) as s:
                segment = builder.add(row, builder.mul(s.index, arg["a_s"]))
                with cgutils.for_range(builder, arg["length"]) as k:
                    self._step(builder.add(segment, builder.mul(k.index, _int(4))), panel)

    def _step(self, a, panel):
        builder, lanes = self.builder, self.isa.lanes
        b = builder.load(panel)
        columns = [load_vector(builder, self._column(b, j), lanes) for j in range(self.nv)]
        for i in range(self.mr):
            place = builder.add(a, builder.mul(self.arg["a_row"], _int(i)))
            x = broadcast(builder, builder.load(pointer(builder, place), typ=F32, align=4), lanes)
            for j in range(self.nv):
                old = builder.load(self.sums[i, j])
                builder.store(multiply_add(builder, x, columns[j], old, self.isa), self.sums[i, j])
        builder.store(_add(builder, b, min(self.nv, self.isa.nv) * lanes * 4), panel)

    def _column(self, b, j):
        panel, vector_in_panel = divmod(j, self.isa.nv)
        distance = self.builder.mul(self.arg["a_row"], _int(panel))
        return _add(self.builder, b, distance, vector_in_panel * self.isa.lanes * 4)

    def _finish(self):
        builder, lanes = self.builder, self.isa.lanes
        limits = [broadcast(builder, self._float(name), lanes) for name in ("low", "high")]
        for j in range(self.nv):
            bias = load_vector(builder, _add(builder, self.arg["bias"], j * lanes * 4), lanes)
            for i in range(self.mr):
                value = builder.fadd(builder.load(self.sums[i, j]), bias)
                builder.store(clamp(builder, value, *limits), self.sums[i, j])

    def _float(self, name):
        return self.builder.bitcast(self.builder.trunc(self.arg[name], ir.IntType(32)), F32)
