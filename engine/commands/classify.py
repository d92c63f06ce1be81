"""`infer PATHS... --weights FILE`, the default command."""

from pathlib import Path
from typing import Any

import click

from engine.commands.options import EXIT_CODES, InputPath, arch_option, find_weights, weights_option
from engine.commands.picture_options import picture_options, say_decisions
from engine.commands.progress import Tally, progress


@click.command("classify", epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, required=True, type=InputPath(exists=True, path_type=Path))
@weights_option
@click.option("--top-k", type=click.IntRange(1), default=1, show_default=True, help="How many best classes to give.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["table", "csv", "json", "jsonl"]),
    default="table",
    show_default=True,
    help="Form of the results.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write, instead of stdout.")
@picture_options
@click.option("--batch-size", type=click.IntRange(1, 4096), default=32, show_default=True, help="Images at a time.")
@click.option("--threads", type=click.IntRange(1, 1024), show_default="the processors there are", help="Threads.")
@arch_option
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    weights: str,
    top_k: int,
    format_name: str,
    output: Path | None,
    picture: dict[str, Any],
    batch_size: int,
    threads: int | None,
    arch: str | None,
) -> None:
    """Say what each image shows (the default command).

    Folders are searched to their depth; hidden files and those without an image's suffix are skipped.
    An image that cannot be read becomes an error record, and the others go on.
    """
    import warnings

    from engine import Classifier
    from engine.images.files import find_images
    from engine.output import destination
    from engine.report import FORMATS

    warnings.filterwarnings("ignore", module="PIL")
    path = find_weights(weights)
    classifier = Classifier(path, top_k=top_k, threads=threads, arch=arch, **picture)
    say_decisions(classifier)
    tally = Tally()
    with destination(output, for_reading=format_name == "table") as write, progress(paths) as bar:
        records = tally.records(classifier.stream(find_images(paths), batch_size), bar)
        for text in FORMATS[format_name](records, classifier.top_k):
            bar.clear()
            write(text)
        if tally.interrupted:
            raise KeyboardInterrupt
    if tally.failed:
        click.echo(f"{tally.failed} of {tally.images} images could not be read", err=True)
        ctx.exit(3)
    if not tally.images:
        click.echo("No images found", err=True)
