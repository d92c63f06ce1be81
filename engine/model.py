"""`Model`: a loaded network with Keras's names. `load_model` is the way to one."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from engine.arrays import checked
from engine.errors import CancelledError, InputError, KernelError, LimitExceededError
from engine.finite import Watch
from engine.frontend import Source, name_of
from engine.frontend.open_sizes import is_open
from engine.ir.graph import Graph
from engine.ir.ops import Activate, Identity, Reshape, Softmax
from engine.layer import Layer, TensorInfo, inputs_of, layers_of, outputs_of, with_batch
from engine.locks import ForkLock
from engine.origin import Origin
from engine.passes import optimise
from engine.plan.sharing import Pool, new_pool
from engine.runtime.session import new_session
from engine.runtime.tuning import Memory
from engine.sessions import MOST, AnySession, Sessions, share_weights
from engine.summary import format_summary


class Event(Protocol):
    """What tells a prediction to stop: a `threading.Event`, or whatever else has its `is_set`."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


_FLOAT32 = np.dtype(np.float32)


def load_model(
    path: Source,
    *,
    arch: Source | None = None,
    lambdas: Mapping[str, Callable[..., Any]] | None = None,
    threads: int | None = None,
    memory: Memory = "normal",
    strict: bool = False,
    sandbox: bool = False,
) -> "Model":
    """The model that any Keras saved: `.h5`, `.keras`, or weights with their description in `arch`.

    `path` is a path, the bytes, or a binary file that can seek, which must stay open as long as weights are asked
    for. `lambdas` has a function for each Lambda layer by the layer's name; it is handed what Keras hands it, as
    NumPy arrays. `threads` is the most that one call uses; by default as many as this process may (see
    `set_num_threads`). `memory="low"` leaves out algorithms whose weights take several times the room of the file's;
    results may differ in their last bits. Weights that are NaN or infinite are warned of; `strict=True` refuses them.
    Nothing in the file is ever executed. `sandbox=True` reads it in a child process with limits on memory and time, so
    that a crash there is an error here. Raises `ModelFileError`, `UnsupportedLayerError`, `LimitExceededError` or
    `GraphError`, each with one line that names the file and what was found.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected at least 1, found {threads}")
    if memory not in get_args(Memory):
        raise InputError(f"memory: expected {' or '.join(map(repr, get_args(Memory)))}, found {memory!r}")
    try:
        return Model(Origin(path, arch, lambdas, threads, memory, strict, sandbox))
    except MemoryError:
        raise LimitExceededError(f"{name_of(path)}: it needs more memory than there is") from None


class Model:
    """A network ready to predict, made by `load_model`. It never changes: any number of threads may use it at once.

    `name` is the model's, `path` the file it came from, `format` and `keras_version` what the file is and says.
    `layers` are as Keras lists them, `inputs` and `outputs` have name, shape and dtype. `head` is the function that
    ends the first output (`softmax`, `sigmoid`, `linear` ...); `loss` names that output's loss in the file's training
    configuration, and `from_logits` is whether that says that it holds logits. `metadata` is what `infer init` wrote
    into the file, as JSON; it and `loss` are empty if there is none. A copy is the model itself. A pickle holds the
    path and the options of `load_model`, or the bytes that it was loaded from, and unpickling loads the model again.
    """

    def __init__(self, origin: Origin, pool: Pool | None = None) -> None:
        with origin.open() as network:
            watch, sizes_are_open = Watch(), is_open(network.input_shapes)
            graph = optimise(watch.over(network.graph))
            self._origin = origin.settled()
            self._pool = new_pool() if pool is None else pool
            self._sessions = self._new_sessions(sizes_are_open, graph)
            if sizes_are_open:
                for weight in graph.weights():
                    weight.read()
            watch.report(name_of(origin.source), origin.strict)
            self.layers = layers_of(network.layers, self._origin.open)
            self.inputs, self.outputs = inputs_of(network), outputs_of(network)
        self.name, self.path = network.name, name_of(origin.source)
        self.keras_version, self.format = network.keras_version, network.format
        self.loss, self.from_logits = network.loss, network.from_logits
        self.metadata = network.metadata
        self.input_names, self.output_names = network.input_names, network.output_names
        self.head = _head(graph)
        self._in, self._out, self._keys = network.input_shapes, network.output_shapes, network.output_keys
        simple = not isinstance(self._sessions, Sessions) and self._sessions.is_simple and self._keys is None
        self._one = (1, *self._in[0]) if simple else None
        self._submodels: dict[tuple[str, ...], Model] = {}
        self._shares = False
        self._lock = ForkLock()

    def _new_sessions(self, sizes_are_open: bool, graph: Graph) -> "AnySession | Sessions":
        threads, memory = self._origin.threads, self._origin.memory
        if sizes_are_open:
            return Sessions(self._origin.open, threads, self._pool, memory)
        return new_session(graph, threads, memory)

    def __repr__(self) -> str:
        return f"<Model {self.name!r} of {self.path}: {self.input_shape} to {self.output_shape}>"

    def __reduce__(self) -> tuple[type["Model"], tuple[Origin]]:
        return Model, (self._origin,)

    def __copy__(self) -> "Model":
        return self

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "Model":
        return self

    @property
    def input_shape(self) -> Any:
        """`(None, 28, 28, 1)`, or a list of such where there are several inputs."""
        return with_batch(self._in)

    @property
    def output_shape(self) -> Any:
        """`(None, 10)`, or a list of such where there are several outputs."""
        return with_batch(self._out)

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int | str = 0, *, cancel: Event | None = None
    ) -> Any:
        """Outputs (n, ...) float32 for inputs (n, ...): an array, or for several inputs a list or a dict by name.

        At most `batch_size` examples, 32 by default, are computed at a time; results do not depend on it. No examples
        give (0, ...). `verbose=1` reports progress on standard error. A model with several outputs answers with a
        list, or with the dictionary that it was made with. Where `cancel` is set meanwhile (a `threading.Event`),
        `CancelledError` is raised before the next examples are computed; Ctrl-C ends it there too. Raises
        `InputError`, which is a `ValueError`, where the inputs are not what the model expects.
        """
        size = 32 if batch_size is None else batch_size
        if size < 1:
            raise InputError(f"batch_size: expected at least 1, found {size}")
        inputs, n = self._checked(x)
        session = self.session(inputs)
        results = session.empty(n)
        _check_cancel(cancel, 0, n)
        for done in session.pieces(inputs, results, n, size):
            if verbose:
                print(f"\r{done}/{n}", end="" if done < n else "\n", file=sys.stderr, flush=True)
            if done < n:
                _check_cancel(cancel, done, n)
        return self._answer(results)

    def predict_on_batch(self, x: Any) -> Any:
        """As `predict`, for the examples (n, ...) of one batch. Raises `InputError`."""
        return self(x)

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """As `predict`; the shortest way for one example. Raises `InputError` for `training=True`."""
        if type(x) is np.ndarray and x.shape == self._one and x.dtype is _FLOAT32 and not training:
            return self._sessions.run_one(x)  # type: ignore[union-attr]
        if training:
            raise InputError("training: expected False; models are not trained here")
        inputs, n = self._checked(x)
        return self._answer(self.session(inputs).run(inputs, n))

    def submodel(self, outputs: str | Sequence[str]) -> "Model":
        """The model from the same inputs to the results of these layers, in the order given.

        A layer of a model among the layers is `inner/conv`; `shared:1` is the second call of a layer that is called
        several times, `shared` the first. A layer with several results gives them all. Weights that both models use
        as they are, are held once. Raises `InputError` for a layer that is not there.
        """
        with self._lock:
            return self._submodel(_names(outputs))

    def _submodel(self, names: tuple[str, ...]) -> "Model":
        model = Model(replace(self._origin, outputs=names), self._pool)
        for each in (self, model):
            each._share()
        return model

    def _share(self) -> None:
        """Let others of the pool hold the same packed weights; sessions of open sizes do so from the start."""
        if not self._shares and not isinstance(self._sessions, Sessions):
            share_weights(self._sessions, self._pool)
        self._shares = True

    def features(self, x: Any, layers: str | Sequence[str], batch_size: int | None = None) -> Any:
        """What these layers answer with for inputs (n, ...): an array (n, ...), for several names a dict of them.

        Names are those of `submodel`. The submodel is kept for the next call; of more than eight the one used longest
        ago is dropped. A layer with several results answers with a list of arrays. Raises `InputError`.
        """
        names = _names(layers)
        with self._lock:
            model = self._submodels.pop(names) if names in self._submodels else self._submodel(names)
            self._submodels[names] = model
            if len(self._submodels) > MOST:
                del self._submodels[next(iter(self._submodels))]
        found = model.predict(x, batch_size)
        results = iter(found if len(model.outputs) > 1 else [found])
        answers: dict[str, list[NDArray[np.float32]]] = {}
        for name in model.output_names:
            answers.setdefault(name, []).append(next(results))
        by_name = {name: arrays if len(arrays) > 1 else arrays[0] for name, arrays in answers.items()}
        return by_name[layers] if isinstance(layers, str) else by_name

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name or position. Raises `InputError` if there is none."""
        if index is not None and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        asked = f"name {name!r}" if index is None else f"index {index}"
        raise InputError(f"no layer with {asked}; the layers are {', '.join(layer.name for layer in self.layers)}")

    def get_weights(self) -> list[NDArray[Any]]:
        """All weights in Keras's order and shapes, read from the file now. Raises `ModelFileError`."""
        with self._origin.open() as network:
            return [weight.read() for info in network.layers for weight in info.weights]

    def count_params(self) -> int:
        """Number of weights in the model."""
        return sum(layer.parameters for layer in self.layers)

    def summary(self, print_fn: Callable[[str], object] = print) -> None:
        """Print the layers as Keras does: name, class, output shape, parameters, and the totals."""
        for line in format_summary(self.name, self.layers):
            print_fn(line)

    def _answer(self, results: list[NDArray[np.float32]]) -> Any:
        if self._keys is not None:
            return dict(zip(self._keys, results, strict=True))
        return results[0] if len(results) == 1 else results

    def session(self, inputs: Sequence[NDArray[Any]]) -> AnySession:
        """What computes inputs of these shapes; for tools that measure."""
        sessions = self._sessions
        return sessions.of([x.shape[1:] for x in inputs]) if isinstance(sessions, Sessions) else sessions

    def _checked(self, x: Any) -> tuple[list[NDArray[Any]], int]:
        if type(x) is np.ndarray and x.shape[1:] == self._in[0] and x.dtype == np.float32 and len(self._in) == 1:
            return [x], len(x)
        return checked(x, self.input_names, self._in)


def _names(layers: str | Sequence[str]) -> tuple[str, ...]:
    names = tuple(layers) if isinstance(layers, list | tuple) else (layers,)
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(f"expected the names of one or more layers, found {layers!r}")
    return names


def _check_cancel(cancel: Event | None, done: int, n: int) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError(f"cancelled after {done} of {n} examples")


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


__all__ = ["Event", "KernelError", "Layer", "Model", "TensorInfo", "load_model"]
