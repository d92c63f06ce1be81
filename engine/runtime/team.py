"""The process's one team of helper threads. Its protocol is described in `engine.kernels.state`.

A call takes the team by try-lock; one that does not get it runs alone. Helpers park only while no run is active. At
exit they are told to stop and joined for at most a second, and their memory is leaked on purpose: a helper that is
still inside native code must never find it freed.
"""

import atexit
import ctypes
import logging
import os
import sys
import threading
import time
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from engine import settings
from engine.errors import InputError
from engine.kernels.isa import Isa
from engine.kernels.state import ABORT, ACTIVE, SIZE, YIELD, state_size
from engine.plan.site import aligned_array
from engine.runtime import native

log = logging.getLogger("engine")

_EAGER_SECONDS, _PATIENT_SECONDS = 10e-6, 100e-6
_JOIN_SECONDS = 1.0
_leaked: list[Any] = []


@cache
def available_threads() -> int:
    """Processors that this process may use, as it was when first asked: its affinity and its cgroup's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, _quota() or count))


def _quota() -> int | None:
    """The cgroup's CPU quota, rounded up to whole processors."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if limit == "max" else ceil(int(limit) / int(period))
    except (OSError, ValueError):
        pass
    try:
        base = Path("/sys/fs/cgroup/cpu")
        limit_us = int((base / "cpu.cfs_quota_us").read_text())
        return None if limit_us <= 0 else ceil(limit_us / int((base / "cpu.cfs_period_us").read_text()))
    except (OSError, ValueError):
        return None


class Team:
    """The caller and `threads − 1` helpers. `state` is the address of the shared memory."""

    def __init__(self, isa: Isa, threads: int) -> None:
        self._memory = aligned_array((state_size(threads) // 8,), "int64")
        self.state = self._memory.ctypes.data
        self.threads = 1
        self.isa, self.size = isa, threads
        self._stopped = False
        self._worker = native.function("worker", isa, 4)
        self._memory[YIELD // 8] = _yield_address()
        self._memory[SIZE // 8] = threads
        self._eager, self._patience = self._looks()
        self._events: list[threading.Event] = []
        self._parked: list[bool] = []
        self._helpers: list[threading.Thread] = []
        for me in range(1, threads):
            if not self._start_helper(me):
                break

    def _looks(self) -> tuple[int, int]:
        """How many looks without work make the eager and the patient time, measured."""
        count = 2000
        start = time.perf_counter()
        self._worker(self.state, 0, count, count)
        look = max((time.perf_counter() - start) / count, 1e-9)
        return int(_EAGER_SECONDS / look) + 1, int(_PATIENT_SECONDS / look) + 1

    def _start_helper(self, me: int) -> bool:
        event = threading.Event()
        helper = threading.Thread(target=self._help, args=(me, event), name=f"engine-{me}", daemon=True)
        self._events.append(event)
        self._parked.append(False)
        try:
            helper.start()
        except RuntimeError as error:
            del self._events[-1], self._parked[-1]
            log.warning("running on %d of %d threads: %s", self.threads, self.size, error)
            return False
        self._helpers.append(helper)
        self.threads += 1
        return True

    def _help(self, me: int, event: threading.Event) -> None:
        while not self._stopped:
            self._parked[me - 1] = True
            event.wait()
            event.clear()
            self._parked[me - 1] = False
            if not self._stopped:
                self._worker(self.state, me, self._eager, self._patience)

    def wake(self) -> None:
        """Begin a run: helpers stay until `rest`."""
        self._memory[ACTIVE // 8] = 1
        for event, parked in zip(self._events, self._parked, strict=True):
            if parked:
                event.set()

    def rest(self) -> None:
        """End a run: helpers may park."""
        self._memory[ACTIVE // 8] = 0

    def stop(self) -> None:
        """Send the helpers home and wait for them, not for ever."""
        self._stopped = True
        self._memory[ABORT // 8] = 1
        for event in self._events:
            event.set()
        deadline = time.monotonic() + _JOIN_SECONDS
        for helper in self._helpers:
            helper.join(max(0.0, deadline - time.monotonic()))
        _leaked.append(self._memory)


def _yield_address() -> int:
    """The C function that gives up the processor for a moment."""
    if sys.platform == "win32":
        function = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0


_busy = threading.Lock()
_team: Team | None = None
_default: int | None = None


def set_num_threads(threads: int) -> None:
    """The most threads that a call uses from now on, unless its model was loaded with a number of its own."""
    global _default  # noqa: PLW0603  # a setting of the process
    if threads < 1:
        raise InputError(f"number of threads: expected at least 1, found {threads}")
    _default = threads


def num_threads() -> int:
    """Set by `set_num_threads`, else by `ENGINE_NUM_THREADS`, else what this process may use."""
    global _default  # noqa: PLW0603  # a setting of the process, found out once
    if _default is None:
        _default = settings.num_threads() or available_threads()
    return _default


def take(isa: Isa, threads: int) -> Team | None:
    """The team for one run, or None where another call has it or one thread is all there is. Give it back."""
    global _team  # noqa: PLW0603  # one a process
    if threads < 2 or not _busy.acquire(blocking=False):
        return None
    try:
        if _team is None or _team.size < threads or _team.isa != isa:
            _dismiss()
            _team = Team(isa, threads)
        _team.wake()
        return _team
    except BaseException:
        _busy.release()
        raise


def give_back(team: Team) -> None:
    """End the run that `take` began."""
    team.rest()
    _busy.release()


def _dismiss() -> None:
    global _team  # noqa: PLW0603  # one a process
    if _team is not None:
        _team.stop()
        _team = None


def _before_fork() -> None:
    _busy.acquire()  # before native's lock, as `take` does, which loads a kernel to start a team
    _dismiss()
    native.before_fork()


def _after_fork_in_parent() -> None:
    native.after_fork(child=False)
    _busy.release()


def _after_fork_in_child() -> None:
    global _busy  # noqa: PLW0603  # the parent's lock has an owner that does not exist here
    _busy = threading.Lock()
    native.after_fork(child=True)


atexit.register(_dismiss)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
