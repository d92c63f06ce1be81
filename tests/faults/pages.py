"""Memory between pages that no one may touch: a stray read or write ends the process."""

import ctypes
import mmap
import sys
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

AVAILABLE = sys.platform == "linux"
PAGE = mmap.PAGESIZE
_NONE, _READ, _WRITE = 0, 1, 2
_PRIVATE_ANONYMOUS = 0x22

if AVAILABLE:
    _c = ctypes.CDLL(None, use_errno=True)
    _c.mmap.restype = ctypes.c_void_p
    _c.mmap.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long
    _c.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    _c.munmap.argtypes = ctypes.c_void_p, ctypes.c_size_t


class Pages:
    """Allocates arrays whose last byte (`at_end`) or first byte has a forbidden neighbour."""

    def __init__(self, at_end: bool) -> None:
        self._at_end = at_end
        self._mapped: list[tuple[int, int]] = []
        self._inside: dict[int, tuple[int, int]] = {}

    def array(self, shape: Sequence[int], dtype: Any = np.float32) -> NDArray[Any]:
        """Zeros. The memory lives until `free`."""
        size = prod(shape) * np.dtype(dtype).itemsize
        room = -(-max(size, 1) // PAGE) * PAGE
        base = _c.mmap(None, room + 2 * PAGE, _NONE, _PRIVATE_ANONYMOUS, -1, 0)
        self._mapped.append((base, room + 2 * PAGE))
        if _c.mprotect(base + PAGE, room, _READ | _WRITE):
            raise OSError(ctypes.get_errno(), "mprotect")
        start = base + PAGE + (room - size if self._at_end else 0)
        self._inside[start] = (base + PAGE, room)
        raw = (ctypes.c_uint8 * size).from_address(start)
        array: NDArray[Any] = np.frombuffer(raw, dtype).reshape(shape)
        return array

    def copy(self, array: NDArray[Any]) -> NDArray[Any]:
        """The same numbers, not to be written to."""
        result = self.array(array.shape, array.dtype)
        result[...] = array
        self.lock(result)
        return result

    def lock(self, array: NDArray[Any]) -> None:
        """From now on no one may write to it."""
        base, room = self._inside[array.ctypes.data]
        _c.mprotect(base, room, _READ)

    def free(self) -> None:
        """Unmap everything."""
        for base, size in self._mapped:
            _c.munmap(base, size)
        self._mapped.clear()
        self._inside.clear()
