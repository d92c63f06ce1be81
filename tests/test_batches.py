"""Reading ahead keeps the order, the bits and the memory's bound."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import engine.batches
from engine.batches import in_batches, ordered_map
from engine.errors import ImageError


def test_order_is_kept_whoever_is_first() -> None:
    def slow_at_first(i: int) -> int:
        time.sleep(0.02 if i % 5 == 0 else 0)
        return i * i

    assert list(ordered_map(slow_at_first, range(60), 4, 8)) == [(i, i * i) for i in range(60)]


def test_only_so_many_are_taken_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for i in range(100):
            taken += 1
            yield i

    for done, (i, _) in enumerate(ordered_map(lambda i: i, items(), 3, 7)):
        assert i == done
        assert taken <= done + 7


def test_large_items_are_taken_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.batches, "MAX_BYTES", 10)
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for i in range(20):
            taken += 1
            yield i

    for done, _ in enumerate(ordered_map(lambda i: i, items(), 2, 50, size=lambda i: 6)):
        assert taken <= done + 2
    assert taken == 20


def test_large_items_make_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.batches, "MAX_BYTES", 10)
    batches: list[int] = []

    def compute(batch: Any) -> list[float]:
        batches.append(len(batch))
        return [float(x[0]) for x in batch]

    pairs = list(in_batches(range(7), lambda i: np.float32([i]), compute, 4, size=lambda i: 5))
    assert pairs == [(i, float(i)) for i in range(7)]
    assert batches == [2, 2, 2, 1]


@pytest.mark.parametrize("workers", [0, 3])
@pytest.mark.parametrize("bad", [{0}, {9}, {3}, {4}, {3, 4}, set(range(4)), set(range(10)), set()], ids=str)
def test_an_error_takes_the_place_of_its_item(bad: set[int], workers: int) -> None:
    def prepare(i: int) -> Any:
        if i in bad:
            raise ImageError(f"{i} is bad")
        return np.float32([i])

    pairs = list(in_batches(range(10), prepare, lambda batch: batch[:, 0].tolist(), 4, workers))
    assert [i for i, _ in pairs] == list(range(10))
    assert {i for i, outcome in pairs if isinstance(outcome, ImageError)} == bad
    assert all(outcome == i for i, outcome in pairs if i not in bad)


@pytest.mark.parametrize("where", ["items", "prepare", "compute", "consumer"])
def test_other_errors_end_it_and_its_threads(where: str) -> None:
    def items() -> Iterator[int]:
        yield from range(20)
        if where == "items":
            raise RuntimeError(where)
        yield from range(20, 40)

    def prepare(i: int) -> Any:
        if where == "prepare" and i == 25:
            raise RuntimeError(where)
        return np.float32([i])

    def compute(batch: Any) -> list[int]:
        if where == "compute" and batch[0, 0] >= 16:
            raise RuntimeError(where)
        return [0] * len(batch)

    def consume() -> None:
        for done, _ in enumerate(in_batches(items(), prepare, compute, 4, workers=3)):
            if where == "consumer" and done == 5:
                raise RuntimeError(where)

    before = threading.active_count()
    with pytest.raises(RuntimeError, match=where) as caught:
        consume()
    wait_for(lambda: threading.active_count() <= before)
    assert caught.value.__traceback__


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_generator_that_is_collected_in_its_own_thread_is_no_deadlock() -> None:
    left: list[Any] = []

    def prepare(i: int) -> int:
        if i == 3:
            wait_for(lambda: bool(left))
            left.clear()
        return i

    before = threading.active_count()
    pairs = ordered_map(prepare, range(10), 1, 4)
    assert next(pairs) == (0, 0)
    left.append(pairs)
    del pairs
    wait_for(lambda: threading.active_count() <= before)
    assert not left
