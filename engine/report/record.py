"""One image's answer, and what all answers of a run have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.classify import Result, Score
from engine.errors import ImageError


@dataclass(frozen=True, slots=True)
class Layout:
    """What a run's records have in common.

    They tell of `top_k` of the `classes`, and with `probs` the scores of all. `decided` is how images are treated, by
    the names of the options. A table has `bars`; what is `resumed` has its header already.
    """

    top_k: int
    classes: Sequence[str]
    probs: bool = False
    decided: Mapping[str, Any] = field(default_factory=dict)
    bars: bool = False
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What came of one path: the best classes in falling order, or an error. No class at all is above the threshold."""

    path: str
    top: tuple[Score, ...] = ()
    probs: Sequence[float] | None = None
    error: str | None = None

    @classmethod
    def of(
        cls,
        path: str,
        outcome: Result | ImageError,
        probs: Sequence[float] | None = None,
        threshold: float | None = None,
    ) -> "Record":
        """Without the classes whose score is below `threshold`; an error without the path in front."""
        if isinstance(outcome, ImageError):
            return cls(path, error=str(outcome).removeprefix(f"{path}: "))
        top = outcome.top if threshold is None else tuple(score for score in outcome.top if score.score >= threshold)
        return cls(path, top, probs)

    @property
    def best(self) -> Score | None:
        """The first of `top`."""
        return self.top[0] if self.top else None

    def to_dict(self, decided: Mapping[str, Any]) -> dict[str, Any]:
        """As in JSON: path, label, score, index, top, probs where asked for, and decided; or path and error."""
        if self.error is not None:
            return {"path": self.path, "error": self.error}
        best = self.best
        values: dict[str, Any] = {
            "path": self.path,
            "label": best and best.label,
            "score": best and best.score,
            "index": best and best.index,
            "top": [{"label": s.label, "score": s.score, "index": s.index} for s in self.top],
        }
        if self.probs is not None:
            values["probs"] = list(self.probs)
        return {**values, "decided": decided}
