"""The way of one picture through a classifier, as a page or a poster: what `infer explain` makes."""

from engine.explaining.explanation import Explanation, explain

__all__ = ["Explanation", "explain"]
