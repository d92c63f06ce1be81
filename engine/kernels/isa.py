"""Instruction-set classes: what kernels are compiled for. Object code of a class runs on every CPU of the class."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Isa:
    """`lanes` float32 in a vector; the register tile of a matrix product is `mr` rows × `nv` vectors."""

    name: str
    triple: str
    cpu: str
    needs: tuple[str, ...]
    lanes: int
    mr: int
    nv: int
    fma: bool = True

    @property
    def nr(self) -> int:
        """Columns of the register tile, and of a panel of packed weights."""
        return self.nv * self.lanes


WIDE = 2
"""Panels that a register tile of a single row spans."""

CHAINS = 12
"""Vectors that the kernel `peak` computes at a time: enough to hide a multiply-add's latency, few enough for v3."""

_AVX2 = ("avx2", "fma", "bmi2", "f16c")
_AVX512 = ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd")

ISAS = (
    Isa("x86-64-v4", "x86_64", "x86-64-v4", (*_AVX2, *_AVX512), lanes=16, mr=14, nv=2),
    Isa("x86-64-v3", "x86_64", "x86-64-v3", _AVX2, lanes=8, mr=6, nv=2),
    Isa("x86-64-v2", "x86_64", "x86-64-v2", ("sse4.1", "ssse3", "popcnt"), lanes=4, mr=6, nv=2, fma=False),
    Isa("neon", "aarch64", "generic", (), lanes=4, mr=8, nv=3),
)


def find_isa(name: str) -> Isa:
    """The class of this name; KeyError if there is none."""
    return {isa.name: isa for isa in ISAS}[name]
