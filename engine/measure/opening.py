"""Models of known sizes, opened to be measured."""

from collections.abc import Sequence

from engine.errors import InputError
from engine.frontend import Network, Source, name_of, open_model
from engine.frontend.open_sizes import is_open, shown
from engine.ir.ops import Shape


def opened(source: Source, arch: Source | None, shapes: Sequence[Shape]) -> Network:
    """The model, with `shapes` for inputs whose sizes the file leaves open.

    Raises `InputError` where they are missing.
    """
    network = open_model(source, arch, None, shapes or None)
    if not shapes and is_open(network.input_shapes):
        network.close()
        found = ", ".join(map(shown, network.input_shapes))
        raise InputError(f"{name_of(source)}: expected sizes for the open ones of {found}, found none")
    return network
