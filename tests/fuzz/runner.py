"""Tries mutants in child processes, and knows of each what became of it."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.processes import ROOT

BATCH = 250
PATIENCE = 600.0


@dataclass
class Record:
    """What became of one mutant. `problem` is what must not happen; `seconds` are the processor's."""

    seed: int
    outcome: str
    message: str
    problem: str | None
    seconds: float
    grown: int


@dataclass
class Tally:
    """What became of the mutants of one target. `problems` are by seed: whatever must not happen."""

    outcomes: Counter[str] = field(default_factory=Counter)
    problems: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    grown: int = 0

    @property
    def count(self) -> int:
        """How many mutants were tried."""
        return sum(self.outcomes.values())


def fuzz(target: str, first: int, count: int) -> Tally:
    """Try mutants `first` to `first + count - 1` of a target."""
    tally = Tally()
    for record in attempts(target, first, count):
        tally.outcomes[record.outcome] += 1
        tally.slowest = max(tally.slowest, record.seconds)
        tally.grown = max(tally.grown, record.grown)
        if record.problem:
            tally.problems[record.seed] = record.problem
    return tally


def attempts(target: str, first: int, count: int) -> Iterator[Record]:
    """What became of each mutant `first` to `first + count - 1` of a target, or of each such file of a folder."""
    at, end = first, first + count
    while at < end:
        for record in _batch(target, at, min(BATCH, end - at)):
            yield record
            at = record.seed + 1


def command(target: str, first: int, count: int) -> list[str]:
    """What tries some mutants and says what becomes of them."""
    return [sys.executable, "-m", "tests.fuzz.child", target, str(first), str(count)]


def _batch(target: str, first: int, count: int) -> Iterator[Record]:
    try:
        done = subprocess.run(
            command(target, first, count), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        out, errors, status = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as late:
        out, errors, status = (late.stdout or b"").decode(), "no end", -signal.SIGKILL
    begun = None
    for line in out.splitlines():
        record = json.loads(line)
        begun = record.get("begin")
        if "end" in record:
            yield Record(record.pop("end"), **record)
    if begun is not None:
        late = status == -signal.SIGPROF or "Timeout" in errors
        how = "hang" if late else signal.Signals(-status).name if status < 0 else f"exit {status}"
        yield Record(begun, how, "", f"{how}\n{errors[-3000:]}", 0.0, 0)
    elif status:
        raise RuntimeError(f"{target} from {first}: ended with {status}\n{errors}")
