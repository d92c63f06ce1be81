"""The process in which mutants are tried: `python -m tests.fuzz.child TARGET FIRST COUNT`, with limits on itself.

TARGET may be a folder: its files are tried then, by their places in it. Each may take SECONDS of the processor and
PATIENCE in all. Prints a JSON line before and after each one, so that whoever reads knows which ended the process.
"""

import faulthandler
import json
import os
import resource
import signal
import sys
import time
import traceback

MEMORY = 4 << 30
SECONDS = 20.0
PATIENCE = 300.0
GROWTH = 64 << 20


def say(**record: object) -> None:
    """One line, whole, at once."""
    os.write(1, (json.dumps(record) + "\n").encode())


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def main(target: str, first: int, count: int) -> None:
    """Try mutants `first` to `first + count - 1`."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.register(signal.SIGPROF, chain=True)
    from tests.fuzz.targets import allowed, prepare, warm_up

    warm_up()
    for seed in range(first, first + count):
        attempt = prepare(target, seed)
        before, started = peak(), time.process_time()
        say(begin=seed)
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        outcome, message, problem = "accepted", "", None
        try:
            attempt()
        except allowed(target) as error:
            outcome, message = type(error).__name__, str(error)
            problem = "its message has several lines" if "\n" in message else None
        except BaseException as error:
            outcome, problem = type(error).__name__, traceback.format_exc()
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        seconds, grown = time.process_time() - started, peak() - before
        if outcome != "accepted" and grown > GROWTH and "needs more memory" not in message:
            problem = problem or f"refused after {grown >> 20} MiB: {message}"
        say(end=seed, outcome=outcome, message=message, problem=problem, seconds=seconds, grown=grown)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
