"""What a model says of itself: its layers, its inputs and its outputs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from engine.frontend import LayerInfo, Network
from engine.frontend.open_sizes import OpenShape


@dataclass(frozen=True)
class TensorInfo:
    """One input or output: its name, its shape with `None` for the batch and open sizes, and the file's dtype.

    All numbers are computed in float32, whatever the dtype; outputs are float32.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Layer:
    """One layer of a model, as Keras lists it. Shapes start with `None` for the batch.

    `config` is Keras 3's, whatever wrote the file; `inbound` are the names of the layers that feed the first call;
    `layers` are those of a model that is a layer.
    """

    name: str
    class_name: str
    config: Mapping[str, Any] = field(repr=False)
    output_shape: tuple[int | None, ...]
    parameters: int
    trainable_parameters: int
    inbound: tuple[str, ...]
    layers: tuple["Layer", ...] = field(repr=False)
    _path: str = field(repr=False)
    _open: Callable[[], Network] = field(repr=False, compare=False)

    def get_config(self) -> dict[str, Any]:
        """A copy of the configuration, in Keras 3's words."""
        return dict(self.config)

    def count_params(self) -> int:
        """Number of weights in this layer."""
        return self.parameters

    def get_weights(self) -> list[NDArray[Any]]:
        """The layer's weights in Keras's order and shapes, read from the file now. Raises `ModelFileError`."""
        with self._open() as network:
            info = next(info for info in _deep(network.layers) if info.path == self._path)
            return [weight.read() for weight in info.weights]


def _deep(layers: Sequence[LayerInfo]) -> list[LayerInfo]:
    return [each for layer in layers for each in (layer, *_deep(layer.layers))]


def layers_of(infos: Sequence[LayerInfo], again: Callable[[], Network]) -> tuple[Layer, ...]:
    """The layers of an open model, whose weights are read when it is opened again."""
    return tuple(
        Layer(
            name=info.name,
            class_name=info.class_name,
            config=info.config,
            output_shape=(None, *info.output_shape),
            parameters=info.parameters,
            trainable_parameters=info.trainable_parameters,
            inbound=info.inbound,
            layers=layers_of(info.layers, again),
            _path=info.path,
            _open=again,
        )
        for info in infos
    )


def inputs_of(network: Network) -> tuple[TensorInfo, ...]:
    """The inputs of an open model."""
    described = zip(network.input_names, network.input_shapes, network.input_dtypes, strict=True)
    return tuple(TensorInfo(name, (None, *shape), dtype) for name, shape, dtype in described)


def outputs_of(network: Network) -> tuple[TensorInfo, ...]:
    """The outputs of an open model."""
    named = zip(network.output_names, network.output_shapes, strict=True)
    return tuple(TensorInfo(name, (None, *shape)) for name, shape in named)


def with_batch(shapes: Sequence[OpenShape]) -> Any:
    """One shape with `None` in front, or a list of such where there are several."""
    full = [(None, *shape) for shape in shapes]
    return full[0] if len(full) == 1 else full
