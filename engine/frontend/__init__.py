"""File → graph. The only package that knows Keras's words. h5py is imported when the first file is opened."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.frontend.files import Source, name_of
from engine.frontend.network import LayerInfo, Network
from engine.ir.ops import Shape

__all__ = ["LayerInfo", "Network", "Source", "name_of", "open_model"]


def open_model(
    source: Source,
    arch: Source | None = None,
    lambdas: Mapping[str, Callable[..., Any]] | None = None,
    shapes: Sequence[Shape] | None = None,
    outputs: Sequence[str] | None = None,
    sandbox: bool = False,
) -> Network:
    """Read a Keras model's description and build its graph; weights are read later, while the result is open.

    `source` is a path, bytes or a binary file that can seek; `arch` has the description where `source` has none;
    `lambdas` has a function, of arrays with the batch first, for each Lambda layer by its name. `shapes` are those of
    one example of each input, where the file leaves sizes open; without them the graph is one of many that it may be.
    `outputs` are names of layers (`parts.py`) whose results are wanted in place of the model's own.
    `sandbox` lets a child process read the file (`sandbox.py`); its weights are all read then.
    Raises `ModelFileError` for a file that is damaged or none of Keras's, `UnsupportedLayerError` for what is not
    computed here, `LimitExceededError` for sizes beyond the file's own, `GraphError` for shapes that do not fit.
    """
    from engine.frontend.assemble import open_network

    return open_network(source, arch, lambdas or {}, shapes, outputs, sandbox)
