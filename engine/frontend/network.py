"""An open model file: its graph, its layers as Keras lists them, its weights not read yet."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from engine.frontend.open_sizes import OpenShape
from engine.ir.graph import Graph, Weight


@dataclass(frozen=True)
class LayerInfo:
    """One layer as `model.layers` lists it; shapes without the batch axis, None where the file leaves a size open.

    `path` is `inner/name` for a layer of a model among the layers, and `layers` are those of such a model. `weights`
    are in the order of Keras's `get_weights()`. `inbound` are the layers that feed its first call. `value` is the
    graph value of its first output, before passes; -1 where no output of the model needs it.
    """

    name: str
    path: str
    class_name: str
    config: Mapping[str, Any] = field(repr=False)
    output_shape: OpenShape
    parameters: int
    trainable_parameters: int
    weights: tuple[Weight, ...]
    inbound: tuple[str, ...]
    value: int
    layers: tuple["LayerInfo", ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Network:
    """A model read from a file. Its weights can be read until `close`; it is a context manager.

    `input_dtypes` are as the file has them; all is computed in float32. `output_keys` are those of the dictionary that
    the model answers with; it is None where it answers with a list. `loss` names the first output's loss in the
    training configuration, `metadata` is the text of ours in the file (`notes.py`); both are empty if there is none.
    """

    graph: Graph
    name: str
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    output_keys: tuple[str, ...] | None
    input_shapes: tuple[OpenShape, ...]
    input_dtypes: tuple[str, ...]
    output_shapes: tuple[OpenShape, ...]
    layers: tuple[LayerInfo, ...]
    loss: str
    from_logits: bool
    keras_version: str
    format: str
    metadata: str
    _resources: ExitStack = field(repr=False, compare=False)

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._resources.close()

    def __enter__(self) -> "Network":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def loss_of(training: Mapping[str, Any], output_names: Sequence[str]) -> tuple[str, bool]:
    """The name of the first output's loss in a training configuration, and whether it says that there are logits."""
    loss = training.get("loss")
    if isinstance(loss, dict) and "class_name" not in loss:
        loss = next((loss[name] for name in output_names if name in loss), None)
    if isinstance(loss, list) and loss:
        loss = loss[0]
    if not isinstance(loss, dict):
        return loss if isinstance(loss, str) else "", False
    name, config = loss.get("class_name"), loss.get("config")
    return name if isinstance(name, str) else "", isinstance(config, dict) and config.get("from_logits") is True
