"""The parameter row of each kernel: int64 fields in order. The plan fills rows by name, kernels read them by offset.

Field `n`, always the first, is the number of images in the call; the run loop writes it. Addresses and strides are in
bytes, extents in elements; `low`, `high` are float32 bits; `tile` and `act` are addresses of kernels (`act` 0: none).
"""

from collections import namedtuple
from functools import cache

ROWS = {
    "gemm": "n x w bias y m k f x_row kc block columns inner low high tile act act_params",
    "conv_direct": (
        "n x w bias y h wd c oh ow f kh kw sh sw dh dw pt pl images groups patch patch_row rows row_blocks columns"
        " inner piece low high tile act act_params"
    ),
    "conv_winograd": (
        "n x w bias y images h wd c oh ow f pt pl across tiles v_row m_row width block columns"
        " low high tile act act_params"
    ),
    "conv_transpose": "n x w bias y h wd c oh ow f kh kw sh sw dh dw top left act act_params",
    "depthwise_direct": (
        "n x w bias y h wd c m oh ow kh kw sh sw dh dw pt pl patch_row rows row_blocks columns inner"
        " low high act act_params"
    ),
    "pool_window": "n x y h wd c oh ow kh kw sh sw pt pl rows row_blocks",
    "pool_global": "n x y pixels c",
    "softmax": "n x y rows c block",
    "map": "n x y size block act act_params",
    "scale_shift": "n x y scale shift rows c block act act_params",
    "binary": "n a b y d0 d1 d2 d3 a_n a0 a1 a2 a3 b_n b0 b1 b2 b3 act act_params",
    "pad": "n x y h wd c pt pl rows columns patch",
    "copy": "n x y outer inner block y_step offset",
    "transpose": "n x y d0 d1 d2 d3 d4 d5 s0 s1 s2 s3 s4 s5",
    "slice": "n x y x_n offset block d0 d1 d2 d3 d4 d5 s0 s1 s2 s3 s4 s5",
    "gather": "n x y indexes outer extent count inner block",
    "select": "n a b c y d0 d1 d2 d3 a_n a0 a1 a2 a3 b_n b0 b1 b2 b3 c_n c0 c1 c2 c3",
    "local_dense": "n x w y places k f",
    "reduce": "n x y x_n block d0 d1 d2 s0 s1 s2 r0 r1 r2 q0 q1 q2 inner tail",
    "normalize": "n x y scale shift epsilon rows c block",
    "resample": "n x y w starts taps outer extent count inner block",
    "pool_region": "n x y h wd c oh ow row_ends column_ends",
    "embed": "n x table y count rows width block",
    "recurrent": (
        "n x y mask h c w_input bias w w_candidate bias_candidate images steps features units block rows sequences"
        " states backwards flipped zeros tile"
        " gate gate_params act act_params"
    ),
    "matmul": "n a b y m k f transposed scale block row_blocks tile",
    "pool_norm": "n x y h wd c oh ow kh kw sh sw pt pl rows row_blocks p",
    "traced": "n function params step clock clock_id counter capacity log",
}


def fields(kernel: str) -> tuple[str, ...]:
    """The names of a kernel's fields, in order. A variant has the row of its module."""
    return tuple(ROWS[kernel.partition("/")[0]].split())


@cache
def row(kernel: str):  # type: ignore[no-untyped-def]  # a named tuple made here
    """The byte offset of each field, as a named tuple that Numba takes for constants."""
    names = fields(kernel)
    return namedtuple(f"Row_{kernel}", names)(*range(0, 8 * len(names), 8))
