"""What a model's outputs mean: one class of many, yes or no, or each label for itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

if TYPE_CHECKING:
    from engine.model import Model

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """From outputs (n, units) to scores (n, classes).

    `applies` is what is done to the outputs, `gives` what the scores then are: none, softmax or sigmoid.
    """

    units: int
    applies: str
    gives: str
    multi_label: bool
    reason: str

    @property
    def is_binary(self) -> bool:
        """One unit that answers yes or no, which stands for two classes."""
        return self.units == 1 and self.gives == "sigmoid" and not self.multi_label

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return 2 if self.is_binary else self.units

    @property
    def gives_probabilities(self) -> bool:
        """Whether scores are between 0 and 1 by their making."""
        return self.gives != "none"

    def scores(self, outputs: NDArray[np.float32]) -> Scores:
        """Computed in float64; what is NaN stays NaN."""
        scores: Scores = outputs.astype(np.float64)
        if self.applies == "softmax":
            scores = _softmax(scores)
        elif self.applies == "sigmoid":
            scores = _sigmoid(scores)
        return np.concatenate([1 - scores, scores], axis=1) if self.is_binary else scores


def head_of(model: "Model", name: str, activation: str | None = None, multi_label: bool = False) -> Head:
    """The head of a model with one output (n, units). `activation` is taken in place of what the file says.

    Raises InputError for another output, and for `multi_label` where the scores are not those of sigmoids.
    """
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or not isinstance(shape[1], int):
        raise InputError(f"{name}: a classifier's output is (None, classes), not {shape}")
    units, last = shape[1], model.head if model.head in ("softmax", "sigmoid") else "none"
    if activation is not None:
        applies, gives, reason = "none" if activation == last else activation, activation, "asked for"
    elif last != "none" or not model.from_logits:
        applies, gives, reason = "none", last, f"the model ends in {model.head}"
    else:
        apart = multi_label or units == 1 or "binary" in model.loss.lower()
        applies = gives = "sigmoid" if apart else "softmax"
        reason = "the file says that the outputs are logits"
    if multi_label and gives != "sigmoid":
        raise InputError(f"{name}: several labels at once need outputs of sigmoids, and it ends in {model.head}")
    if gives == "sigmoid" and units > 1 and not multi_label:
        reason += "; --multi-label if an image may have several labels"
    return Head(units, applies, gives, multi_label, reason)


def _softmax(logits: Scores) -> Scores:
    with np.errstate(invalid="ignore"):  # infinite logits become NaN
        powers: Scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    total: Scores = powers.sum(axis=1, keepdims=True)
    return powers / total


def _sigmoid(logits: Scores) -> Scores:
    power: Scores = np.exp(-np.abs(logits))
    likely: Scores = 1 / (1 + power)
    return np.where(logits < 0, power * likely, likely)
