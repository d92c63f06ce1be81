"""`infer tune`."""

import click

from engine.commands.measuring import shapes_option, threads_option
from engine.commands.options import arch_option, find_weights, weights_option


@click.command("tune")
@weights_option
@threads_option
@click.option("--seconds", type=click.FloatRange(0.0), default=5.0, show_default=True, help="How long to measure.")
@shapes_option
@click.option("--dry-run", is_flag=True, help="Measure and report, keep nothing.")
@click.option("--json", "as_json", is_flag=True, help="What was found as JSON.")
@arch_option
def command(
    weights: str,
    threads: int | None,
    seconds: float,
    shapes: tuple[tuple[int, ...], ...],
    dry_run: bool,
    as_json: bool,
    arch: str | None,
) -> None:
    """Measure the fastest algorithms for a model's layers.

    All that may compute a layer are timed, and the fastest becomes this machine's choice.
    The choices lie beside the compiled kernels and hold for every model with a layer of the same form that is loaded
    later; results may differ in their last bits from those of a model loaded before.
    """
    from engine.measure.tune import tune
    from engine.measure.tune_text import tuning_lines
    from engine.plan.machine import this_machine
    from engine.runtime import tuning

    found = tune(find_weights(weights), arch, threads, shapes, seconds)
    if not dry_run:
        tuning.save(this_machine(), found.choices)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        for line in tuning_lines(found):
            click.echo(line)
