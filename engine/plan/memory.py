"""Where values live: offsets in one arena, so that values alive at the same time never overlap. Integers only."""

from collections.abc import Sequence

ALIGNMENT = 64


def aligned(size: int) -> int:
    """The next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def scratch_row_bytes(floats: int) -> int:
    """Bytes of a scratch row, off the strides that collide in L1."""
    size = aligned(floats * 4)
    return size + ALIGNMENT if size % 512 == 0 else size


def assign(sizes: Sequence[int], first: Sequence[int], last: Sequence[int]) -> tuple[list[int], int]:
    """Offsets for buffers of `sizes` bytes that live in steps first … last, both included; and the total.

    Largest first, each in the lowest gap between the buffers placed before it that live at the same time.
    """
    offsets = [0] * len(sizes)
    placed: list[int] = []
    for i in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        end = 0
        for j in sorted((j for j in placed if first[i] <= last[j] and first[j] <= last[i]), key=offsets.__getitem__):
            if offsets[j] - end >= aligned(sizes[i]):
                break
            end = max(end, offsets[j] + aligned(sizes[j]))
        offsets[i] = end
        placed.append(i)
    return offsets, max((o + aligned(s) for o, s in zip(offsets, sizes, strict=True)), default=0)
