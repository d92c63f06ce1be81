"""`infer eval DATA --weights FILE`."""

from pathlib import Path
from typing import Any

import click

from engine.commands.options import EXIT_CODES, arch_option, find_weights, sandbox_option, say, weights_option
from engine.commands.picture_options import picture_options, say_decisions


@click.command("eval", epilog=EXIT_CODES)
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@weights_option
@picture_options
@click.option("--json", "as_json", is_flag=True, help="The evaluation as JSON.")
@click.option("--confusion", metavar="FILE.png", type=click.Path(path_type=Path), help="Draw the confusion matrix.")
@click.option("--batch-size", type=click.IntRange(1, 4096), default=32, show_default=True, help="Images at a time.")
@click.option("--threads", type=click.IntRange(1, 1024), show_default="the processors there are", help="Threads.")
@arch_option
@sandbox_option
@click.pass_context
def command(
    ctx: click.Context,
    data: Path,
    weights: str,
    picture: dict[str, Any],
    as_json: bool,
    confusion: Path | None,
    batch_size: int,
    threads: int | None,
    arch: str | None,
    sandbox: bool,
) -> None:
    """Say how often a model is right, and what it takes for what.

    DATA is a folder that has a folder of images for each class, named as it, or an .npz with images x and classes y.
    """
    import warnings

    from engine import Classifier, num_threads
    from engine.commands.progress import Clock, progress
    from engine.confusion import as_png, as_text
    from engine.evaluation import evaluate
    from engine.images.files import find_images
    from engine.output import destination, whole_file

    warnings.filterwarnings("ignore", module="PIL")
    classifier = Classifier(find_weights(weights), threads=threads, arch=arch, sandbox=sandbox, **picture)
    say_decisions(classifier)
    clock = Clock()
    length = sum(1 for _ in find_images([data])) if data.is_dir() else None
    with progress(clock, length) as bar:

        def each(failed: bool) -> None:
            clock.count(failed)
            bar.advance()

        found = evaluate(classifier, data, batch_size=batch_size, workers=threads or num_threads(), each=each)
    with destination(None, for_reading=not as_json) as write:
        if as_json:
            import json

            write(json.dumps({**found.to_dict(), "decisions": classifier.decisions.to_dict()}, indent=2) + "\n")
        else:
            write("".join(line + "\n" for line in as_text(found)))
    if confusion is not None:
        with whole_file(confusion) as file:
            file.write(as_png(found))
    for name, reason in found.failed:
        click.echo(f"{name}: {reason}", err=True)
    if found.failed:
        say(f"{len(found.failed)} of {len(found.failed) + found.images} images could not be read")
        ctx.exit(3)
    if not found.images:
        say("No images found")
