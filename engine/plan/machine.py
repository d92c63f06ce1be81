"""What the plan knows of the machine: the instruction-set class and the sizes of the caches."""

import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine import settings
from engine.errors import KernelError
from engine.kernels.isa import ISAS, Isa, find_isa
from engine.plan.processor import this_processor

_SUFFIXES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Machine:
    """Cache sizes are bytes a core."""

    isa: Isa
    l1: int = 32 << 10
    l2: int = 512 << 10
    l3: int = 4 << 20


@cache
def this_machine() -> Machine:
    """The machine that this process runs on; `ENGINE_ISA` may choose a lower class.

    Raises `KernelError` where no class fits.
    """
    fitting = [isa for isa in ISAS if fits(isa)]
    if not fitting:
        raise KernelError(f"no kernels for this processor ({platform.machine()}): expected one of {_names(ISAS)}")
    isa = fitting[0]
    if chosen := settings.isa_name():
        if chosen not in {i.name for i in fitting}:
            raise KernelError(f"ENGINE_ISA: expected one of {_names(fitting)}, found {chosen!r}")
        isa = find_isa(chosen)
    sizes = _cache_sizes()
    default = Machine(isa)
    return Machine(isa, sizes.get(1, default.l1), sizes.get(2, default.l2), sizes.get(3, default.l3))


def _names(isas: object) -> str:
    return ", ".join(isa.name for isa in isas)  # type: ignore[attr-defined]


def fits(isa: Isa) -> bool:
    """Whether code of this class runs on this processor."""
    processor = this_processor()
    return processor.architecture == isa.triple and processor.features.issuperset(isa.needs)


def _cache_sizes() -> dict[int, int]:
    """Data cache sizes by level, as far as the system tells."""
    sizes: dict[int, int] = {}
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
            if kind != "Instruction":
                sizes[int(level)] = int(size[:-1]) * _SUFFIXES[size[-1]]
        except (OSError, ValueError, KeyError):
            continue
    return sizes
