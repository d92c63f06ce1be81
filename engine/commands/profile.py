"""`infer profile`."""

from pathlib import Path
from typing import Any

import click

from engine.commands.measuring import memory_option, shapes_option, threads_option
from engine.commands.options import arch_option, find_weights, weights_option


@click.command("profile")
@weights_option
@click.option("--batch", type=click.IntRange(1, 4096), default=1, show_default=True, help="Images in a call.")
@threads_option
@click.option("--seconds", type=click.FloatRange(0.0), default=1.0, show_default=True, help="How long to measure.")
@memory_option
@shapes_option
@click.option("--json", "as_json", is_flag=True, help="The profile as JSON.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for one run, call by call on each thread, for chrome://tracing or Perfetto.",
)
@arch_option
def command(
    weights: str,
    batch: int,
    threads: int | None,
    seconds: float,
    memory: Any,
    shapes: tuple[tuple[int, ...], ...],
    as_json: bool,
    trace: Path | None,
    arch: str | None,
) -> None:
    """Say where a model's time and memory go.

    For every step: its layers, algorithm, time, speed, and share of the peak that this machine is measured to have.
    Inputs are numbers from 0 to 1. Steps are timed inside whole runs by the clock, on the threads that they run on.
    """
    from engine.measure.loading import load
    from engine.measure.profile import measure
    from engine.measure.profile_text import profile_lines
    from engine.output import destination

    model = load(find_weights(weights), arch, batch, threads, shapes, memory)
    profile, run = measure(model, batch, seconds)
    if trace:
        import json

        from engine.measure.chrome import chrome_trace

        with destination(trace, for_reading=False) as write:
            write(json.dumps(chrome_trace(model.session.program, run)))
    if as_json:
        import json

        click.echo(json.dumps(profile.to_dict(), indent=2))
    else:
        for line in profile_lines(profile):
            click.echo(line)
