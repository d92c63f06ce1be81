"""Options of the commands that measure."""

import click

threads_option = click.option(
    "--threads", type=click.IntRange(1, 1024), show_default="the processors there are", help="Threads."
)


def _shapes(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(_shape(text) for text in texts)


def _shape(text: str) -> tuple[int, ...]:
    sizes = [part.strip() for part in text.split(",")]
    if not all(size.isdecimal() and int(size) > 0 for size in sizes):
        raise click.BadParameter(f"expected sizes such as 224,224,3, found {text!r}")
    return tuple(map(int, sizes))


shapes_option = click.option(
    "--shape",
    "shapes",
    metavar="H,W,C",
    multiple=True,
    callback=_shapes,
    help="Shape of an input, where the model leaves sizes open; once for each input.",
)

memory_option = click.option(
    "--memory",
    type=click.Choice(["normal", "low"]),
    default="normal",
    show_default=True,
    help="low: no algorithm whose weights take several times the room of the file's.",
)
