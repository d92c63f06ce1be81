"""How images become a model's input: what was asked for, what the files say, what the model's making tells."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from engine.errors import InputError
from engine.images.families import family_of_layers, family_preprocess
from engine.images.layout import Layout
from engine.images.metadata import Metadata
from engine.images.preprocess import COLOUR_ONLY, IMPLIED_INVERT, IMPLIED_RESIZE, Preprocess, Scaling

if TYPE_CHECKING:
    from engine.model import Model

SMALL = 64
SCALING_LAYERS = frozenset({"Rescaling", "Normalization"})
ARITHMETIC = frozenset({"TrueDivide", "Divide", "Multiply", "Subtract", "Add", "BiasAdd"})
CALLS = frozenset({"TFOpLambda", "TensorFlowOpLayer"})
FUNCTIONS = frozenset({"truediv", "realdiv", "divide", "multiply", "mul", "subtract", "sub", "add", "biasadd"})
WEIGHTED = ("Conv", "Dense")

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Decision(Generic[T]):
    """What was decided, and why."""

    value: T
    reason: str


@dataclass(frozen=True)
class Decisions:
    """Everything between a picture and the model's input, and between its output and an answer."""

    size: Decision[str]
    resize: Decision[str]
    preprocess: Decision[Preprocess]
    invert: Decision[str]
    exif: Decision[bool]
    labels: Decision[str]
    scores: Decision[str]

    def items(self) -> Iterator[tuple[str, str, str]]:
        """Name, value and reason of each."""
        for name, decision in vars(self).items():
            value = decision.value
            yield name, ("honoured" if value else "ignored") if isinstance(value, bool) else str(value), decision.reason

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as in the JSON output."""
        plain = {name: decision.value for name, decision in vars(self).items()}
        if isinstance(self.preprocess.value, Scaling):
            plain["preprocess"] = self.preprocess.value.to_dict()
        return {name: {"value": plain[name], "reason": reason} for name, _, reason in self.items()}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value, _ in self.items() if name != "exif" or self.exif.value)


@dataclass(frozen=True)
class Said:
    """Metadata and where it comes from, the weightiest first."""

    sources: Sequence[tuple[str, Metadata]]

    def first(self, key: str) -> Decision[Any] | None:
        """What the first says that says anything."""
        return next(
            (Decision(v, reason) for reason, data in self.sources if (v := getattr(data, key)) is not None), None
        )

    def decide(self, key: str, default: T, reason: str = "the default") -> Decision[T]:
        """What is said, else the default."""
        return self.first(key) or Decision(default, reason)


def decide_preprocess(
    model: "Model", said: Said, shape: tuple[int, int, int], name: str, teachable_machine: bool
) -> Decision[Preprocess]:
    """How pixels are scaled. `teachable_machine` tells that the files beside the model are of that making.

    Warns where nothing tells. Raises InputError for a way that does not fit the channels.
    """
    decision = said.first("preprocess") or _by_the_model(model, shape)
    if decision is None and teachable_machine:
        decision = Decision("teachable-machine", "the model and its labels are named as Teachable Machine names them")
    if decision is None:
        logger.warning(
            "%s does not say how its images were scaled, so pixels are fed as 0 to 255; "
            "--preprocess decides it (in Python preprocess=), and `infer init` keeps the decision",
            name,
        )
        decision = Decision("none", "nothing tells how its images were scaled")
    _check_channels(decision.value, shape[2], name)
    return decision


def decide_size(said: Said, layout: Layout) -> Decision[str]:
    """The size of images."""
    text = f"{layout.height} × {layout.width}"
    return Decision(text, said.decide("size", None, "the model's input").reason)


def decide_resize(said: Said, preprocess: Preprocess) -> Decision[str]:
    """How images are brought to size."""
    implied = IMPLIED_RESIZE.get(str(preprocess))
    return said.decide("resize", implied or "keras", f"that of {preprocess}" if implied else "the default")


def decide_invert(said: Said, preprocess: Preprocess) -> Decision[str]:
    """Whether dark and light are swapped."""
    implied = IMPLIED_INVERT.get(str(preprocess))
    return said.decide("invert", implied or "no", f"that of {preprocess}" if implied else "the default")


def family_names(model: "Model") -> Iterator[str]:
    """Its name, and those of the models in it, where keras.applications gave them."""
    names = [model.name, *(layer.name for layer in walk(model.layers) if getattr(layer, "layers", ()))]
    return (name for name in names if family_preprocess(name))


def walk(layers: Iterable[Any]) -> Iterator[Any]:
    """The layers, and the layers of the models among them."""
    for layer in layers:
        yield layer
        yield from walk(getattr(layer, "layers", ()))


def is_small_grey(shape: tuple[int, int, int]) -> bool:
    """Whether an input is as those of MNIST are."""
    return shape[2] == 1 and max(shape) <= SMALL


def _by_the_model(model: "Model", shape: tuple[int, int, int]) -> Decision[Preprocess] | None:
    if (layer := _scaling_layer(model)) is not None:
        return Decision("none", f"the model's layer {layer.name} ({layer.class_name}) scales them")
    if shape[2] == 3 and (name := next(family_names(model), None)) is not None:
        return Decision(family_preprocess(name) or "none", f"{name} is a model of keras.applications")
    if shape[2] == 3 and (family := family_of_layers([layer.name for layer in walk(model.layers)])) is not None:
        return Decision(family[1], f"its layers are those of {family[0]} in keras.applications")
    if is_small_grey(shape):
        return Decision("unit", f"the input is one grey channel of {shape[0]} × {shape[1]}")
    return None


def _scaling_layer(model: "Model") -> Any | None:
    """A layer that scales the input: before the first that multiplies by weights."""
    for layer in walk(model.layers):
        if layer.class_name in SCALING_LAYERS | ARITHMETIC or (layer.class_name in CALLS and _scales(layer)):
            return layer
        if layer.class_name.startswith(WEIGHTED):
            return None
    return None


def _scales(layer: Any) -> bool:
    words = str(layer.config.get("function") or layer.name).lower().rstrip("_0123456789")
    return re.split(r"[._]", words.replace("bias_add", "biasadd"))[-1] in FUNCTIONS


def _check_channels(how: Preprocess, channels: int, name: str) -> None:
    if isinstance(how, Scaling):
        wrong = next((len(v) for v in (how.mean, how.std) if len(v) not in (1, channels)), None)
        if wrong is not None:
            raise InputError(f"{name}: mean and std have 1 number or as many as its channels, {channels}, not {wrong}")
    elif how in COLOUR_ONLY and channels != 3:
        raise InputError(f"{name}: preprocess {how} needs an input of 3 channels, this one has {channels}")
