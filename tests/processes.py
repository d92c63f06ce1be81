"""Python in a process of its own, for what a test must not do to itself: fork, exit, import afresh."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[1]


def run_python(
    code: str, environment: Mapping[str, str | None] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a script; it must end with exit code 0 in time. A variable that is None is taken out of the environment."""
    changed = {**os.environ, **(environment or {})}
    variables = {name: value for name, value in changed.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        cwd=ROOT, env=variables, timeout=timeout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
