"""A comparison as lines of text, and as bars."""

from collections.abc import Iterator

from engine.measure.compare import Comparison, Result
from engine.measure.plot import Chart
from engine.measure.text import figure, seconds, table

_HEADS = ("runtime", "load", "first call", "p50", "p90", "p99", "images/s", "peak MiB", "max difference", "p50/ours")


def comparison_lines(found: Comparison) -> Iterator[str]:
    """A line for each runtime that has figures."""
    plural = "s" * (found.batch > 1)
    yield f"{found.model}: {found.batch} image{plural} a call, threads: {found.threads}"
    yield from table(_HEADS, [_cells(found, result) for result in found.results if not result.error])


def problem_lines(found: Comparison) -> Iterator[str]:
    """Why the others have none."""
    for result in found.results:
        if result.error:
            reason = result.error.removeprefix(f"{result.runtime}: ")
            yield f"{result.runtime}: {reason}"


def chart(found: Comparison) -> Chart:
    """Images a second of each runtime."""
    shown = [result for result in found.results if not result.error]
    title = f"{found.model}: images a second, {found.batch} a call, {found.threads} threads"
    return Chart(title, [], [r.runtime for r in shown], [[found.images_per_second(r)] for r in shown])


def _cells(found: Comparison, result: Result) -> list[str]:
    ours = found.results[0].percentile(50)
    mine = result.percentile(50)
    times = (result.load, result.first_call, *(result.percentile(share) for share in (50, 90, 99)))
    return [
        f"{result.runtime} {result.version}".strip(),
        *("-" if time is None else seconds(time) for time in times),
        figure(found.images_per_second(result)),
        figure(result.peak_mib),
        "-" if result is found.results[0] else f"{result.difference:.1e}",
        figure(mine / ours if mine and ours else None),
    ]
