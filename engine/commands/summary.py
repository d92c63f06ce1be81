"""`infer summary`."""

import click

from engine.commands.options import EXIT_CODES, arch_option, find_weights, weights_option


@click.command("summary", epilog=EXIT_CODES)
@weights_option
@arch_option
@click.option("--keras", is_flag=True, help="Only Keras's own columns.")
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def command(weights: str, arch: str | None, keras: bool, as_json: bool) -> None:
    """Print a model's layers: shapes, parameters, windows, receptive fields, multiply-adds, memory.

    Nothing is computed, and no weight is read.
    """
    from engine.look.table import summarise

    path = find_weights(weights)
    found = summarise(path, arch)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
    elif keras:
        from engine.summary import format_summary

        for line in format_summary(found.name, found.layers):
            click.echo(line)
    else:
        for line in found.lines():
            click.echo(line)
