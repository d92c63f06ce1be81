"""Where values live: no two that are alive together share a byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plan.memory import ALIGNMENT, aligned, assign

Buffer = tuple[int, int, int]

lifetimes = st.tuples(st.integers(-1, 30), st.integers(0, 12)).map(lambda t: (t[0], t[0] + t[1]))
buffers = st.lists(st.tuples(st.integers(0, 5000), lifetimes).map(lambda b: (b[0], *b[1])), max_size=40)


def columns(buffers: list[Buffer]) -> tuple[list[int], list[int], list[int]]:
    return [b[0] for b in buffers], [b[1] for b in buffers], [b[2] for b in buffers]


@settings(max_examples=300, deadline=None)
@given(buffers)
def test_buffers_alive_together_never_overlap(buffers: list[Buffer]) -> None:
    sizes, first, last = columns(buffers)
    offsets, total = assign(sizes, first, last)
    for i in range(len(buffers)):
        assert offsets[i] >= 0
        assert offsets[i] % ALIGNMENT == 0
        assert offsets[i] + sizes[i] <= total
        for j in range(i):
            together = first[i] <= last[j] and first[j] <= last[i]
            apart = offsets[i] + sizes[i] <= offsets[j] or offsets[j] + sizes[j] <= offsets[i]
            assert apart or not together or 0 in (sizes[i], sizes[j])


@settings(max_examples=200, deadline=None)
@given(buffers)
def test_total_is_between_what_is_needed_and_all_side_by_side(buffers: list[Buffer]) -> None:
    sizes, first, last = columns(buffers)
    _, total = assign(sizes, first, last)
    alive = [sum(aligned(s) for s, f, e in buffers if f <= step <= e) for step in range(-1, 44)]
    assert max(alive) <= total <= sum(map(aligned, sizes))


@given(buffers)
def test_the_same_every_time(buffers: list[Buffer]) -> None:
    assert assign(*columns(buffers)) == assign(*columns(buffers))


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_a_chain_needs_two_neighbours_at_a_time(sizes: list[int]) -> None:
    steps = range(len(sizes))
    _, total = assign(sizes, list(steps), [i + 1 for i in steps])
    pairs = [aligned(a) + aligned(b) for a, b in zip(sizes, [*sizes[1:], 0], strict=True)]
    assert total <= max(pairs) + max(map(aligned, sizes))


def test_values_that_follow_each_other_share_memory() -> None:
    assert assign([640, 640, 640], [0, 1, 2], [0, 1, 2]) == ([0, 0, 0], 640)


def test_nothing_needs_nothing() -> None:
    assert assign([], [], []) == ([], 0)


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (1, 64), (64, 64), (65, 128)])
def test_aligned(size: int, expected: int) -> None:
    assert aligned(size) == expected
