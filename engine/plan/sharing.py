"""One copy of what several programs hold alike: packed weights of a network planned for different shapes."""

import hashlib
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from engine.plan.program import Program
from engine.plan.step import Field, Step

Pool: TypeAlias = MutableMapping[bytes, NDArray[Any]]

_SMALL = 4096


def new_pool() -> Pool:
    """A pool that keeps nothing alive by itself."""
    return WeakValueDictionary()


def share(program: Program, pool: Pool) -> Program:
    """The program with arrays of the same bytes, in the same shape, taken from the pool; others are entered."""
    return replace(program, steps=tuple(_shared(step, pool) for step in program.steps))


def _shared(step: Step, pool: Pool) -> Step:
    return replace(step, fields={name: _pooled(field, pool) for name, field in step.fields.items()})


def _pooled(field: Field, pool: Pool) -> Field:
    if not isinstance(field, np.ndarray) or field.nbytes < _SMALL or not field.flags.c_contiguous:
        return field
    kind = f"{field.dtype.str}{field.shape}".encode()
    return pool.setdefault(hashlib.blake2b(field.data, digest_size=32).digest() + kind, field)
