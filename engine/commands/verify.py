"""`infer verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from engine.commands.picture_options import picture_options, say_decisions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine import Model
    from engine.look.verify import Verification

File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("verify", epilog=EXIT_CODES)
@weights_option
@click.option("--images", "-i", multiple=True, type=File, help="Image to compute with; may be given several times.")
@click.option("--input", "array", type=File, help="Numbers to compute with: .npy, or .npz with x0, x1 and so on.")
@click.option("--golden", type=File, help="Answer to compare with: .npz with inputs x0 … and outputs y0 …")
@click.option(
    "--save-golden", type=click.Path(dir_okay=False, path_type=Path), help="Write inputs and outputs to this .npz."
)
@click.option("--tolerance", type=click.FloatRange(0, 1), default=1e-4, show_default=True, help="Relative difference.")
@picture_options
@click.option("--threads", type=click.IntRange(1, 1024), show_default="the processors there are", help="Threads.")
@arch_option
@sandbox_option
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    weights: str,
    images: tuple[Path, ...],
    array: Path | None,
    golden: Path | None,
    save_golden: Path | None,
    tolerance: float,
    picture: dict[str, Any],
    threads: int | None,
    arch: str | None,
    sandbox: bool,
    as_json: bool,
) -> None:
    """Compare the compiled model with its meaning, computed slowly in NumPy float64, layer by layer.

    It computes with the given images or numbers, else with those of --golden, else with random ones. Layers are those
    that run: what was folded into another is part of it. Exits with 1 where anything differs by more than allowed.
    """
    if images and array:
        raise click.UsageError("--images and --input exclude each other")
    from engine import load_model
    from engine.frontend import open_model
    from engine.look.verify import checked_inputs, drawn_inputs, series, verify_network

    path = find_weights(weights)
    stored = {} if golden is None else _arrays(golden)
    expected = _required(series(stored, "y"), golden, "y0") if golden else None
    inputs = _given(path, images, array, {**picture, "arch": arch, "sandbox": sandbox}) or series(stored, "x")
    if expected is not None and (images or array):
        raise click.UsageError("--golden has inputs of its own")
    with open_model(path, arch, sandbox=sandbox) as network:
        inputs = list(checked_inputs(network, inputs or drawn_inputs(network.graph)))
    with open_model(path, arch, shapes=[x.shape[1:] for x in inputs], sandbox=sandbox) as network:
        found = verify_network(network, inputs, str(path), tolerance, threads, expected)
    if save_golden:
        model = load_model(path, arch=arch, threads=threads, sandbox=sandbox)
        _save(save_golden, model, inputs)
    _print(found, as_json)
    ctx.exit(0 if found.agrees else 1)


def _given(path: Path, images: tuple[Path, ...], array: Path | None, options: dict[str, Any]) -> "list[NDArray[Any]]":
    """The inputs that the user named."""
    if array:
        stored = _arrays(array)
        from engine.look.verify import series

        return list(stored.values()) if array.suffix == ".npy" else _required(series(stored, "x"), array, "x0")
    if not images:
        return []
    import numpy as np

    from engine import Classifier

    classifier = Classifier(path, **options)
    say_decisions(classifier)
    return [np.stack([classifier.prepare(classifier.decode(image), image) for image in images])]


def _arrays(path: Path) -> "dict[str, NDArray[Any]]":
    """The arrays in a .npz, or the one in a .npy; nothing in it is executed."""
    import zipfile
    import zlib

    import numpy as np

    from engine.errors import InputError

    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"x0": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (ValueError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: no arrays of NumPy: {error}") from None


def _required(arrays: "list[NDArray[Any]]", path: Path, name: str) -> "list[NDArray[Any]]":
    from engine.errors import InputError

    if not arrays:
        raise InputError(f"{path}: there is no array {name}")
    return arrays


def _save(path: Path, model: "Model", inputs: "list[NDArray[Any]]") -> None:
    from engine.look.verify import save_golden
    from engine.output import whole_file

    found = model(inputs)
    outputs = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else [found]
    with whole_file(path) as file:
        save_golden(file, inputs, outputs)
    say(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs of {len(inputs[0])} examples")


def _print(found: "Verification", as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    print_lines(found.lines())
