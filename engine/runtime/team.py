"""The process's one team of helper threads. Its protocol is described in `engine.kernels.state`.

A call takes the team by try-lock; one that does not get it runs alone. Helpers park only while no run is active. At
exit and before a fork they are told to stop and joined for at most a second; the memory of one that is still inside
native code is never freed. A fork in the middle of a run, by a signal's handler or beside a long one, leaves them be.
"""

import atexit
import ctypes
import logging
import os
import sys
import threading
import time
from functools import cache
from typing import Any

from engine import settings
from engine.errors import InputError
from engine.kernels.isa import Isa
from engine.kernels.state import ABORT, ACTIVE, SIZE, YIELD, state_size
from engine.plan.site import aligned_array
from engine.runtime import native
from engine.runtime.processors import available_threads

log = logging.getLogger("engine")

_EAGER_SECONDS, _PATIENT_SECONDS = 10e-6, 100e-6
_JOIN_SECONDS = 1.0


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
        if any(helper.is_alive() for helper in self._helpers):
            _never_free(self._memory)


def _never_free(array: Any) -> None:
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(array))


def _yield_address() -> int:
    """The C function that gives up the processor for a moment."""
    if sys.platform == "win32":
        function = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0


_busy = threading.Lock()
_holder = 0
_paused = False
_team: Team | None = None
_default: int | None = None


def set_num_threads(threads: int) -> None:
    """The most threads that a call uses from now on, unless its model was loaded with a number of its own.

    Raises `InputError` below 1.
    """
    global _default  # noqa: PLW0603  # a setting of the process
    if threads < 1:
        raise InputError(f"number of threads: expected at least 1, found {threads}")
    _default = threads


def num_threads() -> int:
    """Set by `set_num_threads`, else by `ENGINE_NUM_THREADS`, else what this process may use."""
    return _default or _found()


@cache
def _found() -> int:
    return settings.num_threads() or available_threads()


def take(isa: Isa, threads: int) -> Team | None:
    """The team for one run, or None where another call has it or one thread is all there is. Give it back."""
    global _team, _holder  # noqa: PLW0603  # one a process
    if threads < 2 or not _busy.acquire(blocking=False):
        return None
    try:
        _holder = threading.get_ident()
        if _team is None or _team.size < threads or _team.isa != isa:
            _dismiss()
            _team = Team(isa, threads)
        _team.wake()
        return _team
    except BaseException:
        _release()
        raise


def give_back(team: Team) -> None:
    """End the run that `take` began."""
    team.rest()
    _release()


def _release() -> None:
    global _holder  # noqa: PLW0603  # one a process
    _holder = 0
    _busy.release()


def _dismiss() -> None:
    global _team  # one a process
    team, _team = _team, None
    if team is not None:
        team.stop()


def _hold() -> bool:
    """Wait until no run has the team, for a while; not for one that this thread itself is in the middle of."""
    global _holder  # noqa: PLW0603  # one a process
    if _holder == threading.get_ident() or not _busy.acquire(timeout=_JOIN_SECONDS):
        return False
    _holder = threading.get_ident()
    return True


def _before_fork() -> None:
    global _paused  # noqa: PLW0603  # told to the hooks after the fork
    _paused = _hold()  # before native's lock, as `take` does, which loads a kernel to start a team
    if _paused:
        _dismiss()
    native.before_fork()


def _after_fork_in_parent() -> None:
    native.after_fork(child=False)
    if _paused:
        _release()


def _after_fork_in_child() -> None:
    global _busy, _holder, _team  # noqa: PLW0603  # the parent's lock and team have threads that do not exist here
    inside = not _paused and _holder == threading.get_ident()
    _busy, _team = threading.Lock(), None
    _holder = threading.get_ident() if inside and _busy.acquire() else 0
    native.after_fork(child=True)


def _at_exit() -> None:
    """Send the helpers home. The team is not given back: what is still to come runs alone."""
    _hold()
    _dismiss()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
    os.register_at_fork(after_in_child=_found.cache_clear)
