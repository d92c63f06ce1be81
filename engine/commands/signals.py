"""Ctrl-C and SIGTERM: a run ends between two records, and says by its exit code why."""

import signal
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

Item = TypeVar("Item")

_END: Any = object()


class Interrupted(KeyboardInterrupt):
    """What a signal raises: `code` is the exit code, 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__("Terminated" if number == signal.SIGTERM else "Interrupted")
        self.code = 128 + number


class Interrupts:
    """While the block runs, the signals raise `Interrupted`; once it `holds`, only within `until_interrupted`.

    A second signal raises wherever it comes. Signals that the process ignores stay ignored.
    """

    def __init__(self, holds: bool = False) -> None:
        self._holds = holds
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        is_second = self._received is not None
        self._received = number
        if is_second or not self._holds:
            raise Interrupted(number)

    def until_interrupted(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items; a signal is heeded while the next one is being made, and before that."""
        iterator = iter(items)
        while True:
            self._holds = False
            try:
                if self._received is not None:
                    raise Interrupted(self._received)
                item = next(iterator, _END)
            finally:
                self._holds = True
            if item is _END:
                return
            yield item
