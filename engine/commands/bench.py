"""`infer bench`."""

from pathlib import Path

import click

from engine.commands.measuring import shapes_option, threads_option
from engine.commands.options import arch_option, find_weights, weights_option


def _peers(ctx: click.Context, param: click.Parameter, text: str) -> tuple[str, ...]:
    from engine.measure.peers.table import PEERS

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in PEERS:
            raise click.BadParameter(f"expected some of {', '.join(PEERS)}, found {name!r}")
    return names


def _pythons(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, path in pairs:
        if not (name and equals and path):
            raise click.BadParameter(f"expected NAME=PATH, found {name + equals + path!r}")
    return {name: path for name, _, path in pairs}


_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("bench")
@weights_option
@click.option(
    "--against",
    "peers",
    metavar="NAMES",
    default="",
    callback=_peers,
    help="Runtimes beside this one, with commas: tensorflow, keras, onnxruntime, openvino, litert.",
)
@click.option("--batch", type=click.IntRange(1, 4096), default=1, show_default=True, help="Images in a call.")
@threads_option
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Turns of each runtime.")
@click.option("--seconds", type=click.FloatRange(0.0), default=0.3, show_default=True, help="Of calls in a turn.")
@click.option(
    "--python",
    "pythons",
    metavar="NAME=PATH",
    multiple=True,
    callback=_pythons,
    help="Interpreter that has a runtime; convert=PATH has tensorflow and tf2onnx, to make .onnx and .tflite files.",
)
@click.option("--onnx", type=_file, help="The model as .onnx, its batch free under the name batch; else it is made.")
@click.option("--tflite", type=_file, help="The model as .tflite for this batch; else it is made.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="File for a PNG with bars.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
@shapes_option
@arch_option
def command(
    weights: str,
    peers: tuple[str, ...],
    batch: int,
    threads: int | None,
    rounds: int,
    seconds: float,
    pythons: dict[str, str],
    onnx: Path | None,
    tflite: Path | None,
    plot: Path | None,
    as_json: bool,
    shapes: tuple[tuple[int, ...], ...],
    arch: str | None,
) -> None:
    """Time a model, alone or beside other runtimes.

    Load, first call and steady calls are told apart, with memory and how far other runtimes' answers differ. Each
    runtime has a process of its own, stopped while another is measured. Inputs are numbers from 0 to 1.
    """
    from engine.measure.compare import Setting, compare
    from engine.measure.compare_text import chart, comparison_lines, problem_lines
    from engine.runtime.team import num_threads

    files = {format: path for format, path in (("onnx", onnx), ("tflite", tflite)) if path}
    setting = Setting(batch, threads or num_threads(), rounds, seconds, pythons, files)
    found = compare(find_weights(weights), arch, peers, setting, shapes)
    if plot:
        from engine.measure.plot import draw

        draw(chart(found), plot)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        for line in comparison_lines(found):
            click.echo(line)
    for line in problem_lines(found):
        click.echo(line, err=True)
