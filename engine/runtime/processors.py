"""How many processors this process may use: its affinity and the quotas of its cgroups."""

import os
from collections.abc import Iterator
from functools import cache
from math import ceil
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_GROUPS = Path("/proc/self/cgroup")


@cache
def available_threads() -> int:
    """Processors that this process may use, as it was when first asked; a forked child asks anew."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([count, *_quotas()]))


def _quotas() -> Iterator[int]:
    """The quota of each group that this process is in, rounded up to whole processors."""
    for folder in _folders():
        for read in (_unified, _version_1):
            try:
                quota, period = read(folder)
            except (OSError, ValueError):
                continue
            if quota > 0 and period > 0:
                yield ceil(quota / period)


def _unified(folder: Path) -> tuple[int, int]:
    quota, period = (folder / "cpu.max").read_text().split()
    return (-1 if quota == "max" else int(quota)), int(period)


def _version_1(folder: Path) -> tuple[int, int]:
    quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
    return int(quota), int(period)


def _folders() -> Iterator[Path]:
    """Where quotas may stand: the mounted roots, which are a container's own group, and the groups below them."""
    yield _ROOT
    yield _ROOT / "cpu"
    try:
        lines = _GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, group = line.partition(":")
        controllers, _, place = group.partition(":")
        if place and controllers in ("", "cpu", "cpu,cpuacct", "cpuacct,cpu"):
            root = _ROOT / "cpu" if controllers else _ROOT
            below = root / place.strip("/")
            yield from (folder for folder in (below, *below.parents) if root in folder.parents)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=available_threads.cache_clear)
