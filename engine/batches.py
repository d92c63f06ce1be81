"""Many images through one model: read ahead by threads, computed in batches, answered in order, in bounded memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import ImageError

MAX_BYTES = 128 << 20

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Made = TypeVar("Made")


def in_batches(
    items: Iterable[Item],
    prepare: Callable[[Item], NDArray[np.float32]],
    compute: Callable[[NDArray[np.float32]], Sequence[Outcome]],
    batch_size: int,
    workers: int = 0,
    size: Callable[[Item], int] = lambda item: 0,
) -> Generator[tuple[Item, Outcome | ImageError], None, None]:
    """Each item with what `compute` makes of it, or with the ImageError that `prepare` raised, in order.

    `prepare` turns one item into an input of the model, `compute` a batch of inputs (n, ...) into n outcomes. With
    `workers`, as many threads prepare up to two batches ahead, fewer if `size` tells that the items hold much memory.
    """

    def prepared(item: Item) -> NDArray[np.float32] | ImageError:
        try:
            return prepare(item)
        except ImageError as error:
            return error

    with closing(ordered_map(prepared, items, workers, 2 * batch_size, size)) as pairs:
        while batch := _batch(pairs, batch_size, size):
            good = [x for _, x in batch if not isinstance(x, ImageError)]
            outcomes = iter(compute(np.stack(good)) if good else ())
            for item, x in batch:
                yield item, x if isinstance(x, ImageError) else next(outcomes)


def _batch(pairs: Iterator[tuple[Item, Made]], batch_size: int, size: Callable[[Item], int]) -> list[tuple[Item, Made]]:
    batch: list[tuple[Item, Made]] = []
    held = 0
    while len(batch) < batch_size and held < MAX_BYTES and (pair := next(pairs, None)):
        batch.append(pair)
        held += size(pair[0])
    return batch


def ordered_map(
    function: Callable[[Item], Made],
    items: Iterable[Item],
    workers: int,
    ahead: int,
    size: Callable[[Item], int] = lambda item: 0,
) -> Generator[tuple[Item, Made], None, None]:
    """Each item with `function` of it, in order, computed by threads.

    At most `ahead` items are in the works, and of several no more than 128 MiB by their `size`.
    """
    if not workers:
        yield from ((item, function(item)) for item in items)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    remaining = iter(items)
    waiting: deque[tuple[Item, Future[Made]]] = deque()
    held = 0
    pool = ThreadPoolExecutor(workers, "infer-decode")
    try:
        while True:
            if held < MAX_BYTES or not waiting:
                for item in remaining:
                    waiting.append((item, pool.submit(function, item)))
                    held += size(item)
                    if len(waiting) >= ahead or held >= MAX_BYTES:
                        break
            if not waiting:
                return
            item, future = waiting.popleft()
            yield item, future.result()
            held -= size(item)
    finally:
        # Does not wait: a generator that was left is closed by the garbage collector, maybe in one of these threads.
        pool.shutdown(wait=False, cancel_futures=True)
