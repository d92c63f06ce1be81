"""`infer summary`."""

import click

from engine.commands.options import arch_option, find_weights, weights_option


@click.command("summary")
@weights_option
@arch_option
def command(weights: str, arch: str | None) -> None:
    """Print a model's layers, their output shapes and parameters."""
    from engine import load_model

    load_model(find_weights(weights), arch=arch).summary(print_fn=click.echo)
