"""Choices of algorithms that `infer tune` has measured, kept as one more file beside the compiled kernels.

They hold for one kind of processor, its caches, and the kernels as they are now. A process reads them once, so that
all models that it loads make the same choices. What is damaged or of another form is not used.
"""

import hashlib
import json
import logging
from functools import cache
from typing import Literal, TypeAlias

from engine.errors import EngineError
from engine.plan.choose import Choice, choose, sparing
from engine.plan.machine import Machine
from engine.plan.processor import this_processor
from engine.plan.tuned import Choices, tuned
from engine.runtime import store

log = logging.getLogger("engine")

Memory: TypeAlias = Literal["normal", "low"]
"""Whether algorithms may be chosen whose weights take several times the room of the file's."""

_FORM = 1


def choice(machine: Machine, memory: Memory = "normal") -> Choice:
    """How algorithms are chosen on this machine."""
    chosen = tuned(found) if (found := choices(machine)) else choose
    return sparing(chosen) if memory == "low" else chosen


@cache
def choices(machine: Machine) -> Choices:
    """What has been measured for this machine, as it was when first asked for; empty where nothing was."""
    folder = store.folder(machine.isa.name)
    data = store.load(folder, _name(machine)) if folder else None
    if data is None:
        return {}
    try:
        return _checked(json.loads(data))
    except (ValueError, RecursionError) as error:
        log.debug("what was tuned is not used: %s", error)
        return {}


def save(machine: Machine, found: Choices) -> None:
    """Keep choices beside those that are there. Models that are loaded from now on follow them.

    Raises `EngineError` where nothing can be kept.
    """
    folder = store.folder(machine.isa.name)
    choices.cache_clear()
    whole = {**choices(machine), **found}
    if folder:
        store.save(folder, _name(machine), json.dumps({"form": _FORM, "choices": whole}).encode())
    choices.cache_clear()
    if choices(machine) != whole:
        raise EngineError(f"what was tuned cannot be kept in {folder or 'a cache folder: there is none'}")


def _checked(found: object) -> Choices:
    if not isinstance(found, dict) or found.get("form") != _FORM or not isinstance(found.get("choices"), dict):
        raise ValueError(f"expected form {_FORM}")
    pairs: dict[object, object] = found["choices"]
    if not all(isinstance(key, str) and isinstance(name, str) for key, name in pairs.items()):
        raise ValueError("expected names of algorithms by signatures")
    return {str(key): str(name) for key, name in pairs.items()}


def _name(machine: Machine) -> str:
    """The file's name: the processor's, and what the plan knows of the machine."""
    kind = f"{this_processor().name} {machine}"
    return f"tuned-{hashlib.sha256(kind.encode()).hexdigest()[:16]}"
