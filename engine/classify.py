"""Image in, label out: decoding, preprocessing, a model and the names of its classes."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine.batches import in_batches
from engine.class_names import UNNAMED, Labels, class_names, is_teachable_machine
from engine.decide import (
    Decision,
    Decisions,
    Said,
    decide_invert,
    decide_preprocess,
    decide_resize,
    decide_size,
    family_names,
    is_small_grey,
)
from engine.errors import ImageError, InputError
from engine.frontend import Source, name_of
from engine.heads import Head, head_of
from engine.images.decode import Picture, Pixels, decode
from engine.images.layout import layout_of
from engine.images.metadata import Metadata, metadata_in, metadata_of, read_sidecar, scaling_of, sidecar_path
from engine.images.preprocess import Floats, dark_on_light, inverted, preprocessed
from engine.images.resize import RESIZE

logger = logging.getLogger(__name__)

Numbers: TypeAlias = float | Sequence[float] | None
P = TypeVar("P", bound=Picture)


@dataclass(frozen=True, slots=True)
class Score:
    """One class and its score: a probability, unless the model's head makes none."""

    label: str
    score: float
    index: int


@dataclass(frozen=True, slots=True)
class Result:
    """The best class of one image, and the `top_k` best in falling order; of several labels at once, all."""

    label: str
    score: float
    index: int
    top: tuple[Score, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, as in the JSON output."""
        return {**asdict(self), "top": [asdict(score) for score in self.top]}


class Classifier:
    """A model together with everything between an image file and its input, and between its output and a label.

    `path` and `arch` are those of `engine.load_model`. Where an argument is None, metadata in the file decides, then
    the sidecar `<path>.json`, then what is said here:

    - `labels`: a file (see `engine.images.labels`), a sequence, or a map between indices and names; else `labels.txt`
      or `class_names.txt` beside the file, ImageNet's names for a model of keras.applications if Keras has put them on
      this machine, or the indices.
    - `preprocess`: none, unit, tf, caffe, torch, mnist or teachable-machine; or `scale`, `mean` and `std`, as
      `(x · scale − mean) / std`. Else (or as "auto") none for a model that scales its input itself, that of the family
      for one of keras.applications, unit for one small grey channel, and none with a warning for the rest.
    - `size`: height and width, or one number for both, where the model leaves them open.
    - `resize`: keras, nearest, lanczos-fit, pad or crop (`engine.images.resize` says whose each is); else keras.
    - `invert`: no, yes or auto (by the border of each image); else no.
    - `exif`: whether an image is turned as its EXIF orientation says; else not, as in Keras.
    - `activation`: none, softmax or sigmoid, taken in place of what the file says of its outputs.
    - `multi_label`: whether each unit answers for itself; then every label is in a result, with its own probability.

    `decisions` says what was decided and why, `asked` what the arguments say. Safe to share between threads.
    Raises what `engine.load_model` raises, and InputError.
    """

    _check_border = False

    def __init__(
        self,
        path: Source,
        *,
        labels: Labels = None,
        preprocess: str | None = None,
        scale: float | None = None,
        mean: Numbers = None,
        std: Numbers = None,
        size: int | tuple[int, int] | None = None,
        resize: str | None = None,
        invert: str | None = None,
        exif: bool | None = None,
        activation: str | None = None,
        multi_label: bool | None = None,
        top_k: int = 5,
        threads: int | None = None,
        arch: Source | None = None,
        sandbox: bool = False,
    ) -> None:
        self.model = engine.load_model(path, threads=threads, arch=arch, sandbox=sandbox)
        name, weights = _place(path)
        asked = _asked(preprocess, scale, mean, std, size, resize, invert, exif, activation, multi_label)
        said = Said([("asked for", asked), *_files_say(self.model.metadata, name, weights)])
        self._layout = layout_of(self.model.input_shape, said.decide("size", None).value, name)
        self._head = self._decided_head(said, name)
        names = class_names(
            labels, said, weights, self._head.classes, next(family_names(self.model), None) is not None, name
        )
        self.classes = names.value
        self.asked = asked if labels is None else replace(asked, labels=names.value)
        self.decisions = self._decided(said, name, names, is_teachable_machine(weights))
        self.top_k = max(1, min(len(self.classes) if self._head.multi_label else top_k, len(self.classes)))
        self._check_border = is_small_grey(self._layout.shape) and said.first("invert") is None and self.invert == "no"

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The labels as an array, in the order of the columns of `predict_proba`: scikit-learn's name for them."""
        return np.array(self.classes)

    @property
    def preprocess(self) -> Any:
        """How pixels are scaled: a name or a `Scaling`."""
        return self.decisions.preprocess.value

    @property
    def invert(self) -> str:
        """Whether dark and light are swapped: no, yes or auto."""
        return self.decisions.invert.value

    @property
    def resize(self) -> str:
        """How images are brought to the model's size."""
        return self.decisions.resize.value

    @property
    def are_named(self) -> bool:
        """Whether something names the classes; else they are called by their indices."""
        return self.decisions.labels.value == "names"

    @property
    def multi_label(self) -> bool:
        """Whether each label has its own probability."""
        return self._head.multi_label

    def __call__(self, image: Picture) -> Result:
        """Classify a path, encoded bytes, a binary file object, a Pillow image or an array of pixels.

        Arrays are (h, w) or (h, w, 1, 3 or 4): uint8, uint16, or float within 0 to 255 or 0 to 1.
        Raises ImageError if the image cannot be read, or if the model answers with NaN.
        """
        return self.classify([image])[0]

    def classify(self, images: Iterable[Picture], batch_size: int = 32) -> list[Result]:
        """One result an image, in order. Raises the ImageError of the first that has none."""
        results = []
        for _, outcome in self.stream(images, batch_size):
            if isinstance(outcome, ImageError):
                raise outcome
            results.append(outcome)
        return results

    def stream(
        self, images: Iterable[P], batch_size: int = 32, workers: int = 0
    ) -> Iterator[tuple[P, Result | ImageError]]:
        """Each image with its result, or with the error if there is none, in order.

        Holds one batch at a time, or three with `workers`: as many threads then decode ahead.
        """
        _check_images(images, batch_size)
        yield from in_batches(images, self._input, lambda batch: self.results(self.scores(batch)), batch_size, workers)

    def predict_proba(self, images: Iterable[Picture], batch_size: int = 32) -> NDArray[np.float64]:
        """Probabilities (n, classes) of n images, as scikit-learn's classifiers give them.

        Each row sums to 1, but those of several sigmoids do not. Raises the ImageError of the first image that cannot
        be read, and InputError where the model's scores are no probabilities.
        """
        if not self._head.gives_probabilities:
            raise InputError('the scores of this model are no probabilities; activation="softmax" makes them so')
        _check_images(images, batch_size)
        rows = []
        for _, row in in_batches(images, self._input, lambda batch: list(self.scores(batch)), batch_size):
            if isinstance(row, ImageError):
                raise row
            rows.append(row)
        return np.array(rows, np.float64).reshape(len(rows), len(self.classes))

    def decode(self, image: Picture) -> Pixels:
        """`image` as pixels (h, w, channels) of 0 to 255. Raises ImageError."""
        return decode(image, self._layout.channels, self.decisions.exif.value)

    def prepare(self, pixels: Pixels, image: object = None) -> Floats:
        """What the model is fed for `pixels`, without the batch axis; `image` is what a warning names."""
        if self._check_border and dark_on_light(pixels) and vars(self).pop("_check_border", False):
            name = image if isinstance(image, str | os.PathLike) else "an image"
            logger.warning(
                "%s looks dark on light, and such models mostly expect light on dark: try --invert auto "
                '(in Python invert="auto")',
                name,
            )
        resized = RESIZE[self.resize](inverted(pixels, self.invert), self._layout.height, self._layout.width)
        return self._layout.arranged(preprocessed(resized, self.preprocess))

    def scores(self, batch: Floats) -> NDArray[np.float64]:
        """Scores (n, classes) of prepared images (n, ...)."""
        return self._head.scores(self.model.predict(batch, batch_size=len(batch)))

    def results(self, scores: NDArray[np.float64]) -> list[Result | ImageError]:
        """The best classes of each row of (n, classes); an error for a row with NaN, which names no class."""
        best = np.argsort(-scores, axis=1, kind="stable")[:, : self.top_k]
        return [self._result(row, order) for row, order in zip(scores, best, strict=True)]

    def _result(self, row: NDArray[np.float64], order: NDArray[np.intp]) -> Result | ImageError:
        if np.isnan(row).any():
            return ImageError("the model's answer to it is NaN, which is no score")
        top = tuple(Score(self.classes[i], float(row[i]), int(i)) for i in order)
        return Result(top[0].label, top[0].score, top[0].index, top)

    def _input(self, image: Picture) -> Floats:
        return self.prepare(self.decode(image), image)

    def _decided_head(self, said: Said, name: str) -> Head:
        activation = said.decide("activation", None).value
        head = head_of(self.model, name, activation, said.decide("multi_label", False).value)
        if activation is None and not head.gives_probabilities:
            logger.warning(
                "%s ends in no softmax and records no from_logits: its scores are no probabilities; "
                '--activation softmax (in Python activation="softmax") makes them so',
                name,
            )
        return head

    def _decided(self, said: Said, name: str, names: Decision[tuple[str, ...]], teachable_machine: bool) -> Decisions:
        preprocess = decide_preprocess(self.model, said, self._layout.shape, name, teachable_machine)
        return Decisions(
            size=decide_size(said, self._layout),
            resize=decide_resize(said, preprocess.value),
            preprocess=preprocess,
            invert=decide_invert(said, preprocess.value),
            exif=said.decide("exif", False),
            labels=Decision("indices" if names.reason == UNNAMED else "names", names.reason),
            scores=Decision(self._head.gives, self._head.reason),
        )


def _place(path: Source) -> tuple[str, Path | None]:
    """How messages name the model, and where it lies, if it is a file."""
    return name_of(path), Path(path) if isinstance(path, str | os.PathLike) else None


def _asked(
    preprocess: str | None,
    scale: float | None,
    mean: Numbers,
    std: Numbers,
    *rest: str | bool | int | tuple[int, int] | None,
) -> Metadata:
    numbers = {key: value for key, value in (("scale", scale), ("mean", mean), ("std", std)) if value is not None}
    if numbers and preprocess not in (None, "auto"):
        raise InputError(f"preprocess {preprocess} has its own scale: give either it or scale, mean and std")
    values = dict(zip(("size", "resize", "invert", "exif", "activation", "multi_label"), rest, strict=True))
    named = None if preprocess == "auto" else preprocess
    said = metadata_of({"preprocess": named, **values}, "classifier")
    return said.updated(Metadata(preprocess=scaling_of(numbers, "classifier"))) if numbers else said


def _files_say(metadata: str, name: str, weights: Path | None) -> Iterator[tuple[str, Metadata]]:
    yield f"the metadata in {name}", metadata_in(metadata, name)
    if weights is not None:
        yield str(sidecar_path(weights)), read_sidecar(weights)


def _check_images(images: object, batch_size: int) -> None:
    if isinstance(images, str | bytes | os.PathLike):
        raise InputError("images is an iterable of images; for one image call the classifier itself")
    if batch_size < 1:
        raise InputError(f"batch_size is at least 1, not {batch_size}")
