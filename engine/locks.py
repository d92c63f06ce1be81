"""Locks that a forked child finds open."""

import os
from threading import Lock
from weakref import WeakSet


class ForkLock:
    """A lock for `with`. In a child forked while another thread holds it, it is open: that thread is not there."""

    def __init__(self) -> None:
        self._lock = self._held = Lock()
        _all.add(self)

    def __enter__(self) -> None:
        lock = self._lock
        lock.acquire()
        self._held = lock

    def __exit__(self, *_: object) -> None:
        self._held.release()

    def renew(self) -> None:
        """Open it, whoever holds it."""
        self._lock = Lock()


_all: WeakSet[ForkLock] = WeakSet()


def _after_fork_in_child() -> None:
    for lock in _all:
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
