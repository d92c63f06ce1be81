"""Take chunks of the published step, one's own share first, then what others have left. See `state` for the words.

What a thread computed is in its own cache, and the same rows are its share of the next step: taking another's chunk
moves data between cores, which costs more than a short wait. So a thread looks on, `PATIENCE` times, before it takes
the last chunk of another.
"""

from numba import njit

from engine.kernels.atomics import compare_swap, load_acquire, store_release
from engine.kernels.simd import call
from engine.kernels.state import (
    ABORT,
    DONE,
    FIELD,
    FUNCTION,
    GRAIN,
    LIMIT,
    LINE,
    LINES,
    MASK,
    PARAMS,
    PATIENCE,
    SCRATCH,
    TILES,
    WORD,
)


@njit
def _left(line):
    """Whether chunks of this share are still to be claimed."""
    word = load_acquire(line + WORD)
    return (word >> FIELD) & MASK < word & MASK


@njit
def claim_all(state, me, pause):
    """Run chunks until none is left to claim; the number that this thread ran.

    An aborted team leaves the rest to the caller, thread 0, whose run is always finished.
    `LIMIT` is read between a word and its swap: a swap that succeeds shows that it belongs to the word's run.
    """
    mine = state + LINES + LINE * me
    ran = 0
    looks = 0
    threads = load_acquire(state + LIMIT)
    for k in range(threads):
        line = state + LINES + LINE * ((me + k) % threads)
        while k > 0 and looks < load_acquire(mine + PATIENCE) and _left(line):
            if _left(mine):
                return ran
            looks += 1
            pause()
        while me == 0 or load_acquire(state + ABORT) == 0:
            word = load_acquire(line + WORD)
            chunk = (word >> FIELD) & MASK
            if chunk >= word & MASK or me >= load_acquire(state + LIMIT):
                break
            change = 1 << FIELD
            if k > 0:
                chunk, change = (word & MASK) - 1, -1
            if compare_swap(line + WORD, word, word + change):
                grain, tiles = load_acquire(line + GRAIN), load_acquire(line + TILES)
                first = chunk * grain
                function, params = load_acquire(line + FUNCTION), load_acquire(line + PARAMS)
                call(function, params, first, min(first + grain, tiles), load_acquire(mine + SCRATCH))
                store_release(mine + DONE, load_acquire(mine + DONE) + 1)
                ran += 1
    return ran
