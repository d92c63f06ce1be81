"""`explain`: trace one picture, and everything that the page and the poster say of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.classify import Classifier
from engine.errors import ImageError
from engine.explaining.colours import COOL, WARM
from engine.explaining.data import array, picture_data, small, stages_data
from engine.explaining.evidence import Evidence, evidence_for
from engine.explaining.html import page
from engine.explaining.trace import Floats, Trace, trace
from engine.images.decode import Picture

SCORES = 8
MAP_SIDE = 64


@dataclass(frozen=True)
class Explanation:
    """A picture's way through a classifier.

    `picture` is what the model was fed, without the batch axis; `scores` are those of `classes`. `head` is what they
    are: none, softmax or sigmoid.
    """

    file: str
    model: str
    picture: Floats
    classes: tuple[str, ...]
    scores: tuple[float, ...]
    head: str
    prepared: str
    trace: Trace
    evidence: Evidence

    @property
    def order(self) -> list[int]:
        """The classes, the best first."""
        return [int(i) for i in np.argsort(-np.array(self.scores), kind="stable")]

    @property
    def label(self) -> str:
        """The answer."""
        return self.classes[self.order[0]]

    @property
    def summary(self) -> str:
        """What happens, in one sentence."""
        stages = len(self.trace.stages) + self.trace.left_out
        return (
            f"How {self.model} came to it: {stages} stages of windows, pools and sums, with the numbers that were "
            "really computed for this picture."
        )

    def data(self) -> Mapping[str, Any]:
        """All that the page shows, as plain data."""
        stages, values = stages_data(self.trace)
        shown = small(self.evidence.map, MAP_SIDE)
        return {
            "file": self.file,
            "model": self.model,
            "summary": self.summary,
            "picture": picture_data(self.picture),
            "prepared": self.prepared,
            "scores": [{"label": self.classes[i], "score": self.scores[i]} for i in self.order[:SCORES]],
            "probabilities": self.head != "none",
            "softmax": self.head == "softmax",
            "classes": list(self.classes),
            "evidence": {"shape": list(shown.shape), "data": array(shown), "text": self.evidence.text},
            "colours": {"warm": WARM, "cool": COOL},
            "values": values,
            "stages": stages,
            "notes": self.notes(all(stage["whole"] for stage in stages)),
        }

    @property
    def left_out(self) -> list[str]:
        """What a deep network has more than is shown."""
        if not self.trace.left_out:
            return []
        total = self.trace.left_out + len(self.trace.stages)
        return [
            f"To keep this small, {self.trace.left_out} of {total} stages are left out; those at which the size of the "
            "maps changes are shown."
        ]

    def notes(self, whole: bool) -> list[str]:
        """Where the numbers are from, and what is left out of the page."""
        source = "All maps are the engine's own float32 numbers. Sums are added up again in the page, in float64."
        coarse = (
            "Stages with very many numbers show their strongest channels only, with one window each; large maps are "
            "made smaller."
        )
        return [source, *self.left_out, *([] if whole else [coarse])]

    def to_html(self) -> str:
        """One page with everything inside, which opens offline."""
        return page(self.data(), f"{self.label} · {self.file} · {self.model}")

    def to_png(self) -> bytes:
        """A poster of the same: every stage with its strongest maps and the numbers of one window."""
        from engine.explaining.poster import poster

        return poster(self)


def explain(picture: Picture, classifier: Classifier | str | os.PathLike[str], **options: Any) -> Explanation:
    """How a classifier comes to its answer for one picture (whatever `Classifier` takes).

    `classifier` may be the path of a model; `options` are then those of `Classifier`. Raises what `Classifier`
    raises, and ImageError for a picture that cannot be read or classified.
    """
    if not isinstance(classifier, Classifier):
        classifier = Classifier(classifier, **options)
    model = classifier.model
    x = classifier.prepare(classifier.decode(picture), picture)
    scores = classifier.scores(x[None])
    result = classifier.results(scores)[0]
    if isinstance(result, ImageError):
        raise result
    with model._origin.open([x.shape]) as network:
        return Explanation(
            file=_name(picture),
            model=Path(model.path).name,
            picture=x,
            classes=tuple(classifier.classes),
            scores=tuple(float(score) for score in scores[0]),
            head=classifier.decisions.scores.value,
            prepared=f"As it was prepared: {classifier.decisions}.",
            trace=trace(network, x),
            evidence=evidence_for(network, x, result.index, result.label, classifier.scores),
        )


def _name(picture: Picture) -> str:
    return Path(picture).name if isinstance(picture, str | os.PathLike) else "the picture"
