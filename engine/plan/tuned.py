"""Choices that were measured on this machine, by what an operation is and not by the file that it is in."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from engine.ir.graph import Weight
from engine.plan.choose import Choice, choose
from engine.plan.site import Algorithm, Site

Choices: TypeAlias = Mapping[str, str]
"""The name of an algorithm by the signature of an operation."""


def signature(site: Site) -> str:
    """A digest of the operation, its options, and the shapes of its operands and its result."""
    operands = [
        ("weight", o.shape) if isinstance(o, Weight) else ("value", site.graph.shapes[o]) for o in site.node.operands
    ]
    return hashlib.sha256(f"{site.op!r} {operands} {site.result}".encode()).hexdigest()[:24]


def tuned(choices: Choices, otherwise: Choice = choose) -> Choice:
    """The algorithm that was measured to be the best where there is one and it may be used, else as `otherwise`."""

    def chosen(candidates: Sequence[Algorithm], site: Site) -> Algorithm:
        if len(candidates) > 1:
            name = choices.get(signature(site))
            for algorithm in candidates:
                if algorithm.name == name:
                    return algorithm
        return otherwise(candidates, site)

    return chosen
