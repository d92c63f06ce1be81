"""`Model`: a loaded network with Keras's names. `load_model` is the way to one."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError, KernelError
from engine.frontend import LayerInfo, Network, Source, name_of, open_model
from engine.frontend.open_sizes import OpenShape, fits, is_open, shown
from engine.ir.graph import Graph
from engine.ir.ops import Activate, Identity, Reshape, Softmax
from engine.passes import optimise
from engine.runtime.session import new_session
from engine.sessions import AnySession, Sessions
from engine.summary import format_summary

Arrays = NDArray[np.float32] | list[NDArray[np.float32]]


def load_model(
    path: Source,
    *,
    arch: Source | None = None,
    lambdas: Mapping[str, Callable[..., Any]] | None = None,
    threads: int | None = None,
) -> "Model":
    """The model that any Keras saved: `.h5`, `.keras`, or weights with their description in `arch`.

    `path` is a path, the bytes, or a binary file that can seek, which must stay open as long as weights are asked
    for. `lambdas` has a function for each Lambda layer by the layer's name; it is handed what Keras hands it, as
    NumPy arrays. `threads` is the most that one call uses; by default as many as this process may (see
    `set_num_threads`). Nothing in the file is ever executed. Raises `ModelFileError`, `UnsupportedLayerError`,
    `LimitExceededError` or `GraphError`, each with one line that names the file and what was found.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected at least 1, found {threads}")
    again = partial(open_model, path, arch, lambdas)
    with again() as network:
        graph = optimise(network.graph)
        if is_open(network.input_shapes):
            sessions = Sessions(lambda shapes: again(shapes=shapes), threads)
            return Model(name_of(path), network, graph, sessions, again)
        return Model(name_of(path), network, graph, new_session(graph, threads), again)


@dataclass(frozen=True)
class Layer:
    """One layer of a model, as Keras lists it. Shapes start with `None` for the batch."""

    name: str
    class_name: str
    config: Mapping[str, Any] = field(repr=False)
    output_shape: tuple[int | None, ...]
    parameters: int
    trainable_parameters: int
    inbound: tuple[str, ...]
    _open: Callable[[], Network] = field(repr=False)

    def count_params(self) -> int:
        """Number of weights in this layer."""
        return self.parameters

    def get_weights(self) -> list[NDArray[Any]]:
        """The layer's weights in Keras's order and shapes, read from the file now."""
        with self._open() as network:
            info = next(layer for layer in network.layers if layer.name == self.name)
            return [weight.read() for weight in info.weights]


class Model:
    """A network ready to predict. Safe to call from many threads; the weights are never written to."""

    def __init__(
        self,
        path: str,
        network: Network,
        graph: Graph,
        sessions: "AnySession | Sessions",
        again: Callable[[], Network],
    ) -> None:
        self.name, self.path = network.name, path
        self.keras_version, self.format = network.keras_version, network.format
        self.from_logits = network.from_logits
        self.input_names, self.output_names = network.input_names, network.output_names
        self.head = _head(graph)
        self.layers = tuple(_layer(info, again) for info in network.layers)
        self._in, self._out = network.input_shapes, network.output_shapes
        self._sessions = sessions
        fixed = not isinstance(sessions, Sessions) and sessions.is_simple
        self._one = (1, *self._in[0]) if fixed else None

    @property
    def input_shape(self) -> Any:
        """`(None, 28, 28, 1)`, or a list of such where there are several inputs."""
        return _with_batch(self._in)

    @property
    def output_shape(self) -> Any:
        """`(None, 10)`, or a list of such where there are several outputs."""
        return _with_batch(self._out)

    def predict(self, x: Any, batch_size: int = 32, verbose: int = 0) -> Any:
        """Outputs (n, ...) float32 for inputs (n, ...): an array, or for several inputs a list or a dict by name.

        At most `batch_size` examples are computed at a time; results do not depend on it. `verbose=1` reports
        progress on standard error. A model with several outputs answers with a list. Raises `InputError`.
        """
        if batch_size < 1:
            raise InputError(f"batch_size: expected at least 1, found {batch_size}")
        inputs, n = self._checked(x)
        session = self._session(inputs)
        results = session.empty(n)
        for done in session.pieces(inputs, results, n, batch_size):
            if verbose:
                print(f"\r{done}/{n}", end="" if done < n else "\n", file=sys.stderr, flush=True)
        return results[0] if len(results) == 1 else results

    def __call__(self, x: Any) -> Any:
        """As `predict`."""
        if type(x) is np.ndarray and x.shape == self._one and x.dtype == np.float32:
            return self._sessions.run_one(x)  # type: ignore[union-attr]
        inputs, n = self._checked(x)
        results = self._session(inputs).run(inputs, n)
        return results[0] if len(results) == 1 else results

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name or position. Raises `InputError` if there is none."""
        if index is not None and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        asked = f"name {name!r}" if index is None else f"index {index}"
        raise InputError(f"no layer with {asked}; the layers are {', '.join(layer.name for layer in self.layers)}")

    def count_params(self) -> int:
        """Number of weights in the model."""
        return sum(layer.parameters for layer in self.layers)

    def summary(self, print_fn: Callable[[str], object] = print) -> None:
        """Print the layers as Keras does: name, class, output shape, parameters, and the totals."""
        for line in format_summary(self.name, self.layers):
            print_fn(line)

    def _session(self, inputs: Sequence[NDArray[Any]]) -> AnySession:
        sessions = self._sessions
        return sessions.of([x.shape[1:] for x in inputs]) if isinstance(sessions, Sessions) else sessions

    def _checked(self, x: Any) -> tuple[list[NDArray[Any]], int]:
        if type(x) is np.ndarray and x.shape[1:] == self._in[0] and x.dtype == np.float32 and len(self._in) == 1:
            return [x], len(x)
        arrays = self._in_order(x)
        checked = [_check(a, shape, name) for a, shape, name in zip(arrays, self._in, self.input_names, strict=True)]
        counts = {len(a) for a in checked}
        if len(counts) != 1:
            raise InputError(f"inputs of different batch sizes: {', '.join(str(len(a)) for a in checked)}")
        return checked, counts.pop()

    def _in_order(self, x: Any) -> Sequence[ArrayLike]:
        if isinstance(x, Mapping):
            missing = [name for name in self.input_names if name not in x]
            if missing:
                raise InputError(f"input {missing[0]!r} is missing; the inputs are {', '.join(self.input_names)}")
            return [x[name] for name in self.input_names]
        if len(self._in) == 1:
            alone = isinstance(x, (list, tuple)) and len(x) == 1 and np.ndim(x[0]) == len(self._in[0]) + 1
            return [x[0] if alone else x]
        if not isinstance(x, (list, tuple)) or len(x) != len(self._in):
            raise InputError(f"expected {len(self._in)} inputs ({', '.join(self.input_names)}), found {_kind(x)}")
        return list(x)


def _check(x: ArrayLike, shape: OpenShape, name: str) -> NDArray[Any]:
    if not isinstance(x, np.ndarray | np.generic | list | tuple | int | float) and not hasattr(x, "__array__"):
        hint = "hand over one array, or call predict for each batch"
        raise InputError(f"input {name!r}: expected an array, found {type(x).__name__}: {hint}")
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise InputError(f"input {name!r}: {error}") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"input {name!r}: expected numbers, found {_kind(x)} of dtype {array.dtype}")
    if not fits(shape, array.shape[1:]):
        if array.ndim == len(shape) and shape[-1] == 1 and fits(shape[:-1], array.shape[1:]):
            return array[..., None]
        if array.ndim == len(shape) + 2 and fits((*shape, 1), array.shape[1:]):
            return array[..., 0]
        raise InputError(f"input {name!r}: expected shape {shown(shape)}, found {array.shape}")
    return array


def _kind(x: object) -> str:
    return f"{len(x)} arrays" if isinstance(x, (list, tuple)) else type(x).__name__


def _with_batch(shapes: Sequence[OpenShape]) -> Any:
    full = [(None, *shape) for shape in shapes]
    return full[0] if len(full) == 1 else full


def _layer(info: LayerInfo, again: Callable[[], Network]) -> Layer:
    shape = (None, *info.output_shape)
    counts = info.parameters, info.trainable_parameters
    return Layer(info.name, info.class_name, info.config, shape, *counts, info.inbound, again)


def _head(graph: Graph) -> str:
    """The function that ends the first output: `softmax`, or the kind of an activation."""
    made, value = graph.producers(), graph.outputs[0]
    while (node := made.get(value)) and isinstance(node.op, Reshape | Identity):
        value = node.values[0]
    if node is None:
        return "linear"
    if isinstance(node.op, Softmax):
        return "softmax"
    activation = node.op.activation if isinstance(node.op, Activate) else getattr(node.op, "activation", None)
    return activation.kind if activation else "linear"


__all__ = ["KernelError", "Layer", "Model", "load_model"]
