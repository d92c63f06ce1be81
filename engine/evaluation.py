"""`evaluate`: how often a classifier is right, and what it takes for what."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.batches import in_batches
from engine.classify import Classifier
from engine.errors import ImageError, InputError
from engine.images.preprocess import Floats
from engine.truth import Data, Example, truth_of

TOP = 5


@dataclass(frozen=True)
class ClassReport:
    """One class: images that are of it, that were taken for it, and that are both."""

    label: str
    images: int
    predicted: int
    correct: int

    @property
    def recall(self) -> float | None:
        """The share of its images that were recognised; None if there are none."""
        return _share(self.correct, self.images)

    @property
    def precision(self) -> float | None:
        """The share of what was taken for it that is of it; None if nothing was."""
        return _share(self.correct, self.predicted)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of the two."""
        return _share(2 * self.correct, self.images + self.predicted)

    def to_dict(self) -> dict[str, Any]:
        """Plain types only."""
        return {**vars(self), "recall": self.recall, "precision": self.precision, "f1": self.f1}


@dataclass(frozen=True)
class Evaluation:
    """What came of the images whose class is known.

    `confusion[i, j]` counts images of class i that were taken for class j. `among_top` counts images whose class is
    among the five best, None for a model of five classes or fewer. `failed` has name and reason of each image that
    could not be read or was answered with NaN; those count nowhere else.
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]
    among_top: int | None
    failed: tuple[tuple[str, str], ...]

    @property
    def images(self) -> int:
        """Images that were classified."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """Images that were classified right."""
        return int(self.confusion.trace())

    @property
    def accuracy(self) -> float | None:
        """The share of images that were classified right; None if there were none."""
        return _share(self.correct, self.images)

    @property
    def top5_accuracy(self) -> float | None:
        """The share of images whose class is among the five best; None for five classes or fewer."""
        return None if self.among_top is None else _share(self.among_top, self.images)

    @property
    def per_class(self) -> tuple[ClassReport, ...]:
        """One report a class, in their order."""
        counts = zip(self.confusion.sum(axis=1), self.confusion.sum(axis=0), self.confusion.diagonal(), strict=True)
        rows = zip(self.classes, counts, strict=True)
        return tuple(ClassReport(label, int(images), int(taken), int(both)) for label, (images, taken, both) in rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, as in the JSON output."""
        return {
            "images": self.images,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "top5_accuracy": self.top5_accuracy,
            "classes": [report.to_dict() for report in self.per_class],
            "confusion": self.confusion.tolist(),
            "failed": [{"path": name, "error": reason} for name, reason in self.failed],
        }


def evaluate(
    classifier: Classifier | str | os.PathLike[str],
    data: Data,
    *,
    batch_size: int = 32,
    workers: int = 0,
    each: Callable[[bool], None] = lambda failed: None,
) -> Evaluation:
    """Classify images whose class is known, and count.

    `classifier` is one or the path of its weights; `data` a folder with a folder of images for each class, an `.npz`
    or a pair of arrays (see `engine.truth`). `workers` threads decode ahead. `each` is called after each image with
    whether it failed. Raises InputError for data that do not fit the classes, and for a classifier of several labels.
    """
    model = classifier if isinstance(classifier, Classifier) else Classifier(classifier)
    if model.multi_label:
        raise InputError("a classifier of several labels at once cannot be evaluated against one class an image")
    truth = truth_of(data, model.classes, model.are_named)
    count = len(truth.classes)
    confusion, among_top = np.zeros((count, count), np.int64), 0
    failed: list[tuple[str, str]] = []

    def prepare(example: Example) -> Floats:
        return model.prepare(model.decode(example.picture), example.name)

    def compute(batch: Floats) -> list[NDArray[np.float64] | ImageError]:
        scores = model.scores(batch)
        answers = zip(scores, model.results(scores), strict=True)
        return [answer if isinstance(answer, ImageError) else row for row, answer in answers]

    for example, row in in_batches(truth.examples, prepare, compute, batch_size, workers):
        if isinstance(row, ImageError):
            failed.append((example.name, str(row).removeprefix(f"{example.name}: ")))
        else:
            confusion[example.index, int(np.argmax(row))] += 1
            among_top += _rank(row, example.index) < TOP
        each(isinstance(row, ImageError))
    return Evaluation(truth.classes, confusion, among_top if count > TOP else None, tuple(failed))


def _rank(scores: NDArray[np.float64], index: int) -> int:
    """How many classes go before this one; of equals those of lower index do."""
    return int((scores > scores[index]).sum() + (scores[:index] == scores[index]).sum())


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
