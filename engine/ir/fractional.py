"""The regions of fractional pooling, as `tf.nn.fractional_max_pool` draws them from a seed.

Regions are those of Graham (Fractional Max-Pooling, 2014): steps of ⌊n/m⌋ and ⌈n/m⌉, in random order or by a
pseudo-random sequence. Numbers come from Philox 4×32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3,
2011) with the key and the counter that TensorFlow derives from a seed of its operation, so the regions are its own.
"""

from collections.abc import Iterator
from itertools import accumulate, pairwise
from math import ceil

from engine.errors import GraphError
from engine.ir.ops import Pair, Regions

_GRAPH_SEED = 87654321
_LOW = 0xFFFFFFFF


def fractional_regions(
    size: Pair, ratio: tuple[float, float], *, pseudo_random: bool, overlapping: bool, seed: int
) -> tuple[Regions, Regions]:
    """Rows and columns for an image of `size`, which becomes `ratio` times smaller. `GraphError` where it cannot."""
    counter, found = seed << 64, []
    for extent, r in zip(size, ratio, strict=True):
        count = int(extent / r) if r >= 1 else 0
        if not 1 <= count <= extent:
            raise GraphError(f"an axis of {extent} cannot become {r} times smaller")
        numbers = _numbers(counter)
        ends = _pseudo_random(extent, count, numbers) if pseudo_random else _random(extent, count, numbers)
        counter += 1 if pseudo_random else -(-count // 4)
        found.append(tuple((a, min(b + overlapping, extent)) for a, b in pairwise(ends)))
    return found[0], found[1]


def _pseudo_random(size: int, count: int, numbers: Iterator[int]) -> list[int]:
    alpha, step = size / count, size // count
    most = min((step + 2) / alpha - 1, (size + 1 - step) / alpha - (count - 1))
    high, low = next(numbers), next(numbers)
    u = ((high & 0xFFFFF) << 32 | low) / 2**52 * most
    return [0, *(ceil(alpha * (i + u)) - 1 for i in range(1, count)), size]


def _random(size: int, count: int, numbers: Iterator[int]) -> list[int]:
    longer = size % count
    steps = [size // count + 1] * longer + [size // count] * (count - longer)
    for i in range(count - 1):
        j = i + next(numbers) % (count - i)
        steps[i], steps[j] = steps[j], steps[i]
    return [0, *accumulate(steps)]


def _numbers(counter: int) -> Iterator[int]:
    while True:
        yield from _philox([counter >> shift & _LOW for shift in (0, 32, 64, 96)])
        counter += 1


def _philox(block: list[int]) -> list[int]:
    """Ten rounds over four 32-bit words."""
    k0, k1 = _GRAPH_SEED, 0
    a, b, c, d = block
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k0, q & _LOW, (p >> 32) ^ d ^ k1, p & _LOW
        k0, k1 = (k0 + 0x9E3779B9) & _LOW, (k1 + 0xBB67AE85) & _LOW
    return [a, b, c, d]
