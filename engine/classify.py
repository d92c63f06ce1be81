"""Image in, label out: decoding, preprocessing, a model and the names of its classes."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine.batches import in_batches
from engine.errors import ImageError, InputError
from engine.images.decode import MODES, Picture, Pixels, decode
from engine.images.labels import Sidecar, read_labels, read_sidecar, sidecar_path
from engine.images.preprocess import COLOUR_ONLY, INVERT, PREPROCESS, Floats, dark_on_light, inverted
from engine.images.resize import bilinear

if TYPE_CHECKING:
    from engine.model import Model

SMALL = 64
SCALING_LAYERS = frozenset({"Rescaling", "Normalization"})

logger = logging.getLogger(__name__)

Labels: TypeAlias = str | os.PathLike[str] | Sequence[str] | None
P = TypeVar("P", bound=Picture)


@dataclass(frozen=True, slots=True)
class Score:
    """One class and its score: a probability, unless the model's head makes none."""

    label: str
    score: float
    index: int


@dataclass(frozen=True, slots=True)
class Result:
    """The best class of one image, and the `top_k` best in falling order."""

    label: str
    score: float
    index: int
    top: tuple[Score, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, as in the JSON output."""
        return {**asdict(self), "top": [asdict(score) for score in self.top]}


class Classifier:
    """A model together with everything between an image file and its input.

    `labels` is a file (one a line, or a JSON list) or a sequence; by default the sidecar's, else the indices.
    `preprocess` is none, unit, tf, caffe or torch; by default the sidecar's, else none for a model that scales
    its input itself, unit for one small grey channel, and none with a warning for the rest.
    `invert` is no, yes or auto (by the border of each image); by default the sidecar's, else no.
    Safe to share between threads. Raises what `engine.load_model` raises, and InputError.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        labels: Labels = None,
        preprocess: str | None = None,
        invert: str | None = None,
        top_k: int = 5,
        threads: int | None = None,
        arch: str | os.PathLike[str] | None = None,
    ) -> None:
        self.model = engine.load_model(path, threads=threads, arch=arch)
        sidecar = read_sidecar(path)
        name = os.fspath(path)
        self._height, self._width, self._channels = _image_shape(self.model, name)
        self._small_grey = self._channels == 1 and max(self._height, self._width) <= SMALL
        self.classes = _classes(labels, sidecar, _class_count(self.model, name), name)
        self.preprocess = self._chosen_preprocess(preprocess or sidecar.preprocess, name)
        self.invert = _checked("invert", invert or sidecar.invert or "no", INVERT)
        self._check_border = self._small_grey and not (invert or sidecar.invert)
        self.top_k = max(1, min(top_k, len(self.classes)))
        if self.model.head not in ("softmax", "sigmoid") and not self.model.from_logits:
            logger.warning("%s ends in no softmax and records no from_logits: its scores are no probabilities", name)

    def __call__(self, image: Picture) -> Result:
        """Classify a path, encoded bytes, a binary file object, a Pillow image or an array of pixels.

        Arrays are (h, w) or (h, w, 1, 3 or 4): uint8, uint16, or float within 0 to 255 or 0 to 1.
        Raises ImageError if the image cannot be read.
        """
        return self.classify([image])[0]

    def classify(self, images: Iterable[Picture], batch_size: int = 32) -> list[Result]:
        """One result an image, in order. Raises the ImageError of the first that cannot be read."""
        results = []
        for _, outcome in self.stream(images, batch_size):
            if isinstance(outcome, ImageError):
                raise outcome
            results.append(outcome)
        return results

    def stream(self, images: Iterable[P], batch_size: int = 32) -> Iterator[tuple[P, Result | ImageError]]:
        """Each image with its result, or with the error if it cannot be read; holds one batch at a time."""
        if isinstance(images, str | bytes | os.PathLike):
            raise InputError("images is an iterable of images; for one image call the classifier itself")
        if batch_size < 1:
            raise InputError(f"batch_size is at least 1, not {batch_size}")
        yield from in_batches(images, self._input, lambda batch: self.results(self.scores(batch)), batch_size)

    def decode(self, image: Picture) -> Pixels:
        """`image` as pixels (h, w, channels) of 0 to 255. Raises ImageError."""
        return decode(image, self._channels)

    def prepare(self, pixels: Pixels, image: object = None) -> Floats:
        """What the model is fed for `pixels`, without the batch axis; `image` is what a warning names."""
        if self._check_border and dark_on_light(pixels):
            self._check_border = False
            name = image if isinstance(image, str | os.PathLike) else "an image"
            logger.warning(
                "%s looks dark on light, and such models mostly expect light on dark: try --invert auto "
                '(in Python invert="auto")',
                name,
            )
        resized = bilinear(inverted(pixels, self.invert), self._height, self._width)
        return PREPROCESS[self.preprocess](resized).reshape(self.model.input_shape[1:])

    def scores(self, batch: Floats) -> NDArray[np.float64]:
        """Scores (n, classes) of prepared images (n, ...)."""
        return _probabilities(self.model.predict(batch, batch_size=len(batch)), self.model)

    def results(self, scores: NDArray[np.float64]) -> list[Result]:
        """The best classes of each row of (n, classes)."""
        best = np.argsort(-scores, axis=1, kind="stable")[:, : self.top_k]
        tops = (
            tuple(Score(self.classes[i], float(row[i]), int(i)) for i in indices)
            for row, indices in zip(scores, best, strict=True)
        )
        return [Result(top[0].label, top[0].score, top[0].index, top) for top in tops]

    def _input(self, image: Picture) -> Floats:
        return self.prepare(self.decode(image), image)

    def _chosen_preprocess(self, asked: str | None, name: str) -> str:
        if asked is None:
            return self._default_preprocess(name)
        if asked in COLOUR_ONLY and self._channels != 3:
            raise InputError(f"{name}: preprocess {asked} needs an input of 3 channels, this one has {self._channels}")
        return _checked("preprocess", asked, tuple(PREPROCESS))

    def _default_preprocess(self, name: str) -> str:
        if any(layer.class_name in SCALING_LAYERS for layer in _deep(self.model.layers)):
            return "none"
        if self._small_grey:
            return "unit"
        logger.warning(
            "%s does not say how its images were scaled, so pixels are fed as 0 to 255; "
            '{"preprocess": "%s"} in %s decides it',
            name,
            "|".join(PREPROCESS),
            sidecar_path(name),
        )
        return "none"


def _deep(layers: Iterable[Any]) -> Iterator[Any]:
    """The layers, and the layers of the models among them."""
    for layer in layers:
        yield layer
        yield from _deep(getattr(layer, "layers", ()))


def _checked(option: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise InputError(f"{option} is one of {', '.join(choices)}, not {value}")
    return value


def _image_shape(model: "Model", name: str) -> tuple[int, int, int]:
    shape = model.input_shape
    if isinstance(shape, tuple) and len(shape) in (3, 4):
        height, width, channels = (*shape[1:], 1)[:3]
        if isinstance(height, int) and isinstance(width, int) and channels in MODES:
            return height, width, channels
    raise InputError(f"{name}: images need an input (None, h, w), (None, h, w, 1) or (None, h, w, 3), not {shape}")


def _class_count(model: "Model", name: str) -> int:
    """One unit that answers yes or no stands for two classes."""
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or not isinstance(shape[1], int):
        raise InputError(f"{name}: a classifier's output is (None, classes), not {shape}")
    return 2 if _is_binary(model) else shape[1]


def _is_binary(model: "Model") -> bool:
    return model.output_shape[1] == 1 and (model.head == "sigmoid" or model.from_logits)


def _classes(labels: Labels, sidecar: Sidecar, count: int, name: str) -> tuple[str, ...]:
    if isinstance(labels, str | os.PathLike):
        source, found = os.fspath(labels), read_labels(labels)
    elif labels is not None:
        source, found = "labels", tuple(labels)
    elif sidecar.labels is not None:
        source, found = f"the sidecar of {name}", sidecar.labels
    else:
        return tuple(map(str, range(count)))
    if len(found) != count:
        raise InputError(f"{source}: {len(found)} labels for the {count} classes of {name}")
    return found


def _probabilities(outputs: NDArray[np.float32], model: "Model") -> NDArray[np.float64]:
    """(n, units) → (n, classes)."""
    scores = outputs.astype(np.float64)
    if _is_binary(model):
        positive = scores if model.head == "sigmoid" else (1 + np.tanh(scores / 2)) / 2
        return np.concatenate([1 - positive, positive], axis=1)
    if model.head in ("softmax", "sigmoid") or not model.from_logits:
        return scores
    powers: NDArray[np.float64] = np.exp(scores - scores.max(axis=1, keepdims=True))
    total: NDArray[np.float64] = powers.sum(axis=1, keepdims=True)
    return powers / total
