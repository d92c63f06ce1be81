"""`infer inspect`."""

import click

from engine.commands.options import EXIT_CODES, arch_option, find_weights, print_lines, sandbox_option


@click.command("inspect", epilog=EXIT_CODES)
@click.argument("file", metavar="FILE")
@arch_option
@sandbox_option
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.pass_context
def command(ctx: click.Context, file: str, arch: str | None, sandbox: bool, as_json: bool) -> None:
    """Say what a model file holds and whether it runs, without running it: every layer, and why not."""
    from engine import inspect_model

    found = inspect_model(find_weights(file), arch=arch, sandbox=sandbox)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        print_lines(str(found).split("\n"))
    ctx.exit(4 if found.unsupported else 0 if found.runs else 1)
