"""What a golden case is, the table of them, and ways to enter one. Imports no Keras: it is handed in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Build = Callable[[Any], Any]
Draw = Callable[[Any, tuple[int, ...]], Any]


def normal(rng: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of a normal distribution."""
    return rng.normal(0.0, 1.2, shape)


def gaps(rng: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of a normal distribution, and zeros for a third of all steps, the last one of the first example too."""
    x = rng.normal(0.0, 1.2, shape) * (rng.uniform(size=(*shape[:2], *[1] * (len(shape) - 2))) < 2 / 3)
    x[0, -1], x[1, 0] = 0.0, 0.0
    return x


def rows(count: int) -> Draw:
    """Numbers of rows of a table; a third are 0."""
    return lambda rng, shape: rng.integers(1, count, shape) * (rng.uniform(size=shape) < 2 / 3)


@dataclass(frozen=True)
class Case:
    """One model. `generations` are Keras's major versions that it is made with; `draw` makes its inputs."""

    build: Build
    generations: tuple[int, ...] = (2, 3)
    draw: Draw = normal


CASES: dict[str, Case] = {}


def sequential(shape: tuple[int, ...], *layers: Callable[[Any], Any]) -> Build:
    """A Sequential model; each layer is a function of `keras.layers`, called `nn`."""

    def build(keras: Any) -> Any:
        return keras.Sequential([keras.layers.InputLayer(shape), *(layer(keras.layers) for layer in layers)])

    return build


def case(
    name: str,
    shape: tuple[int, ...],
    *layers: Callable[[Any], Any],
    only: int | None = None,
    draw: Draw = normal,
) -> None:
    """Enter a Sequential model into the table."""
    assert name not in CASES, name
    CASES[name] = Case(sequential(shape, *layers), (2, 3) if only is None else (only,), draw)


def graph_case(name: str, only: int | None = None, draw: Draw = normal) -> Callable[[Build], Build]:
    """Enter a function of `keras` that returns a model into the table."""

    def enter(build: Build) -> Build:
        assert name not in CASES, name
        CASES[name] = Case(build, (2, 3) if only is None else (only,), draw)
        return build

    return enter
