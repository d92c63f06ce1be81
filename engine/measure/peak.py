"""What this machine can do at most: multiply-adds on registers, as measured now."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from engine.kernels.isa import CHAINS, Isa
from engine.plan.site import aligned_array
from engine.runtime import native

_BURST_SECONDS = 0.01


class Peak:
    """Independent chains of multiply-adds in registers. A multiply-add counts as two operations.

    Times are the threads' own processor time: what else runs on the machine makes no difference.
    """

    def __init__(self, isa: Isa) -> None:
        self._kernel = native.function("peak", isa, 2)
        self._lanes = CHAINS * isa.lanes
        self._passes = 1000
        while self._burst() < _BURST_SECONDS:
            self._passes *= 2

    def one_core(self) -> float:
        """Operations a second of the calling thread."""
        return 2.0 * self._lanes * self._passes / self._burst()

    def cores(self, threads: int) -> float:
        """Operations a second of so many threads that run at the same time, together."""
        barrier = Barrier(threads)

        def work(_: int) -> float:
            barrier.wait()
            return self.one_core()

        with ThreadPoolExecutor(threads) as pool:
            return sum(pool.map(work, range(threads)))

    def _burst(self) -> float:
        out = aligned_array((self._lanes,))
        start = time.thread_time()
        self._kernel(self._passes, out.ctypes.data)
        return time.thread_time() - start
