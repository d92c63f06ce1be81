"""What a result was measured on."""

import datetime
import os
import platform
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from bench.models import ROOT
from bench.peers import ENVIRONMENT_OF, versions
from engine.measure.peers.table import ENGINE, RUNTIMES


def describe(runners: list[str]) -> dict[str, Any]:
    """Processor, cores, system, commit, date, load, and the version of each runtime ("unknown": not installed)."""
    dirty = bool(_git("status", "--porcelain", "--untracked-files=no"))
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": (_git("rev-parse", "HEAD") or "unknown") + ("+changes" if dirty else ""),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "load_average": round(os.getloadavg()[0], 2),
        "versions": {name: _version(name) for name in runners},
    }


def header(machine: dict[str, Any]) -> str:
    """The description as lines of text."""
    found = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}\n"
        f"{machine['date']}, commit {machine['commit'][:12]}, load {machine['load_average']}, "
        f"Python {machine['python']}\n{found}"
    )


def _version(name: str) -> str:
    if name == ENGINE:
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    try:
        return versions(ENVIRONMENT_OF[name]).get(RUNTIMES[name].package, "unknown")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], check=False, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
