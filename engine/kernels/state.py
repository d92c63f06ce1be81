"""Layout of the thread team's shared memory and of a program's rows, in bytes. Read by Python and by the kernels.

A *word* is `sequence << 34 | next << 17 | limit`: the chunks `next` … `limit − 1` of one thread's share of the step are
still to be claimed. Whoever swaps the word for one with `next + 1`, or with `limit − 1`, owns that chunk; the sequence
number makes a word of another step differ. What the step is stands beside each word, so that one cache line tells a
thread all. `SIZE` threads have a line; those below `LIMIT` take part in the run. `DONE` counts the chunks that a thread
has finished, ever. `ENTRY_…` is an entry of a trace's log, see `traced`.
"""

SIZE, LIMIT = 0, 8
ACTIVE, ABORT, YIELD = 64, 72, 80
LINES, LINE = 128, 128
WORD, FUNCTION, PARAMS, GRAIN, TILES, PATIENCE = range(0, 48, 8)
DONE, SCRATCH = 64, 72

FIELD = 17
MASK = (1 << FIELD) - 1
SEQUENCE = 2 * FIELD
MOST_CHUNKS = 1 << 16

STEP_FUNCTION, STEP_PARAMS, STEP_UNITS, STEP_BLOCK, STEP_INNER, STEP_WORK = 0, 8, 16, 24, 32, 40
STEP_SIZE = 48

CALL_STATE, CALL_THREADS, CALL_IMAGES, CALL_PROGRAM, CALL_STEPS, CALL_SCRATCH, CALL_SCRATCH_STEP = range(0, 56, 8)
CALL_SIZE = 56

ENTRY_THREAD, ENTRY_STEP, ENTRY_LOW, ENTRY_HIGH, ENTRY_START, ENTRY_END = 0, 8, 16, 24, 32, 48
ENTRY_SIZE = 64


def state_size(threads: int) -> int:
    """Bytes of a team's shared memory."""
    return LINES + LINE * threads
