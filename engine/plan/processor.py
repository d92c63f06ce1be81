"""What the processor is and can do. Linux says it in a file; elsewhere LLVM is asked, which takes long to load."""

import platform
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

CPUINFO = Path("/proc/cpuinfo")


class Processor(NamedTuple):
    """`architecture` as triples begin, `features` as LLVM spells them."""

    architecture: str
    name: str
    features: frozenset[str]


@cache
def this_processor() -> Processor:
    """The processor that this process runs on."""
    if sys.platform.startswith("linux") and platform.machine() == "x86_64" and sys.maxsize > 1 << 32:
        known = _from_file()
        if known:
            return known
    import llvmlite.binding as llvm

    features = frozenset(name for name, there in llvm.get_host_cpu_features().items() if there)
    architecture = llvm.get_process_triple().partition("-")[0]
    return Processor({"arm64": "aarch64"}.get(architecture, architecture), llvm.get_host_cpu_name(), features)


def _from_file() -> Processor | None:
    try:
        lines = CPUINFO.read_text(errors="replace").partition("\n\n")[0].splitlines()
    except OSError:
        return None
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    names = said.get("flags", "").split()
    if not names:
        return None
    kind = " ".join(said.get(key, "") for key in ("vendor_id", "cpu family", "model", "model name"))
    return Processor("x86_64", kind, frozenset(name.replace("sse4_", "sse4.") for name in names))
