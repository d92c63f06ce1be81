"""`infer warmup`."""

import click


@click.command("warmup")
def command() -> None:
    """Compile every kernel into the cache, so that no later run has to."""
    from engine.runtime.warmup import warmup as compile_all

    click.echo(f"{compile_all()} kernels are ready", err=True)
