"""`infer PATHS... --weights FILE`, the default command."""

from pathlib import Path
from typing import Any

import click

from engine.commands.inputs import Inputs, input_options
from engine.commands.options import EXIT_CODES, arch_option, find_weights, sandbox_option, say, weights_option
from engine.commands.outputs import Output, output_options
from engine.commands.picture_options import picture_options, say_decisions


@click.command("classify", epilog=EXIT_CODES)
@input_options
@weights_option
@click.option("--top-k", type=click.IntRange(1), default=1, show_default=True, help="How many best classes to give.")
@click.option("--threshold", type=float, help="Leave out classes whose score is below this.")
@click.option("--probs", is_flag=True, help="Give the scores of all classes as well.")
@output_options
@click.option(
    "--features", metavar="LAYER", help="Write what this layer answers, to -o FILE.npy or .npz, instead of classes."
)
@click.option(
    "--sort-into", type=click.Path(file_okay=False, path_type=Path), help="Put images into a folder here by class."
)
@click.option(
    "--sort-by",
    type=click.Choice(["copy", "link", "move"]),
    default="copy",
    show_default=True,
    help="How --sort-into does it.",
)
@picture_options
@click.option("--batch-size", type=click.IntRange(1, 4096), default=32, show_default=True, help="Images at a time.")
@click.option("--threads", type=click.IntRange(1, 1024), show_default="the processors there are", help="Threads.")
@arch_option
@sandbox_option
@click.pass_context
def command(
    ctx: click.Context,
    inputs: Inputs,
    weights: str,
    top_k: int,
    threshold: float | None,
    probs: bool,
    output: Output,
    features: str | None,
    sort_into: Path | None,
    sort_by: str,
    picture: dict[str, Any],
    batch_size: int,
    threads: int | None,
    arch: str | None,
    sandbox: bool,
) -> None:
    """Say what each image shows (the default command).

    PATHS are image files, folders, quoted patterns such as 'a/*.png', zip and tar archives, .npy and .npz arrays
    (n, h, w) or (n, h, w, channels), and - for the bytes of an image on standard input. Folders are searched to
    their depth; hidden files and those without an image's suffix are skipped. An image that cannot be read becomes
    an error record, and the others go on.
    """
    _check_features(features, output, sort_into)
    if sort_into is not None:
        _check_sorting(sort_into, inputs)
    _check_output(output.path, inputs, weights)
    import warnings

    from engine import Classifier
    from engine.commands.run import Run

    warnings.filterwarnings("ignore", module="PIL")
    path = find_weights(weights)
    classifier = Classifier(path, top_k=top_k, threads=threads, arch=arch, sandbox=sandbox, **picture)
    say_decisions(classifier)
    run = Run(inputs, classifier, batch_size, threads)
    if features is not None and output.path is not None:
        run.write_features(features, output.path)
    else:
        sorter = None
        if sort_into is not None:
            from engine.sorting import Sorter

            sorter = Sorter(sort_into, sort_by, classifier.classes)
        run.write_records(output, threshold, probs, sorter)
    if run.clock.failed:
        say(f"{run.clock.failed} of {run.clock.images} images could not be read")
        ctx.exit(3)
    if not run.clock.images:
        say("No images found")


def _check_features(layer: str | None, output: Output, sort_into: Path | None) -> None:
    is_array = output.path is not None and output.path.suffix.lower() in (".npy", ".npz")
    if layer is None and is_array and output.format_name == "table":
        raise click.UsageError(f"-o {output.path} is for --features LAYER")
    if layer is not None and (not is_array or output.format_name != "table"):
        raise click.UsageError("--features needs a file: -o FILE.npy or -o FILE.npz")
    if layer is not None and (output.resume or sort_into is not None):
        raise click.UsageError("--features goes with neither --resume nor --sort-into")


def _check_sorting(folder: Path, inputs: Inputs) -> None:
    for name in inputs.named:
        if Path(name).is_dir() and folder.resolve().is_relative_to(Path(name).resolve()):
            raise click.UsageError(f"--sort-into {folder} lies in {name}, whose images it would meet again")


def _check_output(path: Path | None, inputs: Inputs, weights: str) -> None:
    if path is not None and path.is_file():
        for name in (*inputs.named, inputs.listed or "", weights):
            if Path(name).is_file() and path.samefile(name):
                raise click.UsageError(f"-o {path} would overwrite an input")
