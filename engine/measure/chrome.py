"""Runs in the format that chrome://tracing and Perfetto read."""

from collections.abc import Sequence
from typing import Any

from engine.measure.trace import Spans
from engine.plan.program import Program


def chrome_trace(program: Program, run: Sequence[Spans]) -> dict[str, Any]:
    """The kernel calls of a run's pieces as complete events, one track a thread; times in microseconds."""
    start = min((int(spans["start"].min()) for spans in run), default=0)
    threads = sorted({int(thread) for spans in run for thread in spans["thread"]})
    names = [
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": thread, "args": {"name": f"thread {thread}"}}
        for thread in threads
    ]
    events = [_event(program, span, start, piece) for piece, spans in enumerate(run) for span in spans]
    return {"traceEvents": [*names, *events], "displayTimeUnit": "ns"}


def _event(program: Program, span: Any, start: int, piece: int) -> dict[str, Any]:
    number = int(span["step"])
    step = program.steps[number]
    return {
        "ph": "X",
        "name": step.layer,
        "cat": step.kernel,
        "pid": 1,
        "tid": int(span["thread"]),
        "ts": (int(span["start"]) - start) / 1000,
        "dur": int(span["end"] - span["start"]) / 1000,
        "args": {
            "algorithm": program.tasks[number].algorithm,
            "step": number,
            "tiles": [int(span["low"]), int(span["high"])],
            "piece": piece,
        },
    }
