"""Walk a program for n images: the caller's side of the thread team, and the whole of a run without one.

The one argument is the address of a call block (`state.CALL_…`): the team's state or 0, threads, images, the program,
its number of steps, and scratch memory, of which thread t's starts at `scratch + t·scratch_step`. A program row is:
kernel, address of its parameters, units an image, units a tile, tiles a block of units, and an estimate of the work an
image in nanoseconds. A step below `SOLO` nanoseconds is not worth sharing. A thread that is done with its share looks
on `LOOKS` times, and once more for every `LOOK` nanoseconds of it.
"""

from numba import njit, types

from engine.kernels.atomics import Processor, load_acquire, store_release
from engine.kernels.claim import claim_all
from engine.kernels.simd import call, i64_at
from engine.kernels.state import (
    CALL_IMAGES,
    CALL_PROGRAM,
    CALL_SCRATCH,
    CALL_SCRATCH_STEP,
    CALL_STEPS,
    CALL_THREADS,
    DONE,
    FIELD,
    FUNCTION,
    GRAIN,
    LIMIT,
    LINE,
    LINES,
    MOST_CHUNKS,
    PARAMS,
    PATIENCE,
    SCRATCH,
    SEQUENCE,
    SIZE,
    STEP_BLOCK,
    STEP_FUNCTION,
    STEP_INNER,
    STEP_PARAMS,
    STEP_SIZE,
    STEP_UNITS,
    STEP_WORK,
    TILES,
    WORD,
)

SIGNATURE = types.void(types.int64)
SOLO = 2000
LOOKS, LOOK = 200, 64


def build(simd, variant):
    processor = Processor(simd.isa)
    pause, flush_denormals, restore = processor.pause, processor.flush_denormals, processor.restore

    @njit
    def finished(state):
        total = 0
        for t in range(load_acquire(state + SIZE)):
            total += load_acquire(state + LINES + LINE * t + DONE)
        return total

    @njit
    def share(state, function, params, tiles, threads, patience):
        """Publish a step, help with it, and wait for the chunks that others hold."""
        grain = (tiles + MOST_CHUNKS - 1) // MOST_CHUNKS
        chunks = (tiles + grain - 1) // grain
        before = finished(state)
        for t in range(threads - 1, -1, -1):
            line = state + LINES + LINE * t
            store_release(line + FUNCTION, function)
            store_release(line + PARAMS, params)
            store_release(line + GRAIN, grain)
            store_release(line + TILES, tiles)
            store_release(line + PATIENCE, patience)
            sequence = (load_acquire(line + WORD) >> SEQUENCE) + 1
            first, limit = chunks * t // threads, chunks * (t + 1) // threads
            store_release(line + WORD, (sequence << SEQUENCE) | (first << FIELD) | limit)
        claim_all(state, 0, pause)
        while finished(state) != before + chunks:
            pause()

    def kernel(call_block):
        state, threads, n = i64_at(call_block), i64_at(call_block + CALL_THREADS), i64_at(call_block + CALL_IMAGES)
        program, steps = i64_at(call_block + CALL_PROGRAM), i64_at(call_block + CALL_STEPS)
        scratch, scratch_step = i64_at(call_block + CALL_SCRATCH), i64_at(call_block + CALL_SCRATCH_STEP)
        mode = flush_denormals()
        if state:
            for t in range(threads):
                store_release(state + LINES + LINE * t + SCRATCH, scratch + t * scratch_step)
            store_release(state + LIMIT, threads)
        for s in range(steps):
            step = program + s * STEP_SIZE
            function, params = i64_at(step + STEP_FUNCTION), i64_at(step + STEP_PARAMS)
            block = i64_at(step + STEP_BLOCK)
            tiles = (n * i64_at(step + STEP_UNITS) + block - 1) // block * i64_at(step + STEP_INNER)
            store_release(params, n)
            work = n * i64_at(step + STEP_WORK)
            if state == 0 or tiles == 1 or work < SOLO:
                call(function, params, 0, tiles, scratch)
            else:
                share(state, function, params, tiles, threads, LOOKS + work // threads // LOOK)
        restore(mode)

    return kernel
