"""`infer explain`."""

from pathlib import Path
from typing import Any

import click

from engine.commands.options import EXIT_CODES, arch_option, find_weights, sandbox_option, say, weights_option
from engine.commands.picture_options import picture_options, say_decisions

SUFFIXES = (".html", ".htm", ".png")


@click.command("explain", epilog=EXIT_CODES)
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@weights_option
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="FILE.html, or FILE.png."
)
@picture_options
@click.option("--threads", type=click.IntRange(1, 1024), show_default="the processors there are", help="Threads.")
@arch_option
@sandbox_option
def command(
    image: Path,
    weights: str,
    output: Path,
    picture: dict[str, Any],
    threads: int | None,
    arch: str | None,
    sandbox: bool,
) -> None:
    """Show how a model comes to its answer for one picture: a page to look around in, or a poster.

    The page has every stage's feature maps, the numbers of any window, and formulas filled in. It is one file that
    opens offline. A map over the input shows what the answer rested on.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"-o {output}: the file is named *.html or *.png")
    if output.exists() and output.samefile(image):
        raise click.UsageError(f"-o {output} would overwrite the image")
    from engine import Classifier
    from engine.explaining import explain
    from engine.output import whole_file
    from engine.report.table import printable

    classifier = Classifier(find_weights(weights), threads=threads, arch=arch, sandbox=sandbox, **picture)
    say_decisions(classifier)
    found = explain(image, classifier)
    content = found.to_png() if output.suffix.lower() == ".png" else found.to_html().encode("utf-8")
    with whole_file(output) as file:
        file.write(content)
    say(printable(f"{image} is {found.label}; {output} shows why ({len(content):,} bytes)"))
