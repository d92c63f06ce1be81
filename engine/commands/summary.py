"""`infer summary`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.commands.options import (
    EXIT_CODES,
    arch_option,
    find_weights,
    print_lines,
    sandbox_option,
    say,
    weights_option,
)

if TYPE_CHECKING:
    from engine.look.table import Summary

File = click.Path(dir_okay=False, path_type=Path)


@click.command("summary", epilog=EXIT_CODES)
@weights_option
@arch_option
@sandbox_option
@click.option("--keras", is_flag=True, help="Only Keras's own columns.")
@click.option("--expand", is_flag=True, help="List the layers of models among the layers too.")
@click.option("--diagram", is_flag=True, help="Draw the flow as text, with shapes between the boxes.")
@click.option("--svg", type=File, help="Draw the graph into this file.")
@click.option("--png", type=File, help="Draw the graph into this file.")
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def command(
    weights: str,
    arch: str | None,
    sandbox: bool,
    keras: bool,
    expand: bool,
    diagram: bool,
    svg: Path | None,
    png: Path | None,
    as_json: bool,
) -> None:
    """Print a model's layers: shapes, parameters, windows, receptive fields, multiply-adds, memory.

    Nothing is computed, and no weight is read. Where --svg or --png is given, nothing is printed unless asked for.
    """
    from engine.look.table import summarise

    found = summarise(find_weights(weights), arch, sandbox)
    if svg or png:
        _draw(found, svg, png)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
    elif diagram:
        from engine.look.boxes import boxes_of
        from engine.look.diagram import diagram as lines_of

        print_lines(lines_of(boxes_of(found)))
    elif keras or expand or not (svg or png):
        print_lines(found.lines(expand, keras))


def _draw(found: "Summary", svg: Path | None, png: Path | None) -> None:
    from engine.look.boxes import boxes_of

    boxes = boxes_of(found)
    if svg:
        from engine.look.svg import svg as svg_of

        _write(svg, svg_of(boxes, found.name).encode("utf-8"))
    if png:
        from engine.look.png import png as png_of

        _write(png, png_of(boxes))


def _write(path: Path, content: bytes) -> None:
    from engine.output import whole_file

    with whole_file(path) as file:
        file.write(content)
    say(f"{path} has {len(content):,} bytes")
