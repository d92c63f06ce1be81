"""`infer init FILE`."""

from pathlib import Path
from typing import Any

import click

from engine.commands.options import EXIT_CODES, arch_option
from engine.commands.picture_options import picture_options, say_decisions


@click.command("init", epilog=EXIT_CODES)
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@picture_options
@click.option("--in-file", is_flag=True, help="Write into FILE itself (.h5), as an attribute that Keras passes over.")
@arch_option
def command(file: Path, picture: dict[str, Any], in_file: bool, arch: str | None) -> None:
    """Write down what a model file cannot say: the names of its classes, and how its images are treated.

    What is asked for is written into FILE's sidecar, the .json beside it, and holds from then on. What was written
    there before and is not asked for again stays.
    """
    if not picture:
        raise click.UsageError("There is nothing to write: say --labels, --preprocess or another of the options.")
    from engine import Classifier
    from engine.images.in_file import write_in_file
    from engine.images.metadata import write_sidecar

    classifier = Classifier(file, arch=arch, **picture)
    say_decisions(classifier)
    written = (write_in_file if in_file else write_sidecar)(file, classifier.asked)
    click.echo(f"Wrote {written}", err=True)
