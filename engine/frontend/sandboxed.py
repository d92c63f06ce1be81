"""The child process of `sandbox.py`: sets limits on itself, reads a model, and writes it to standard output."""

import io
import json
import sys
from contextlib import ExitStack
from typing import Any, BinaryIO

from engine.errors import EngineError, LimitExceededError
from engine.frontend.assemble import try_out
from engine.frontend.exchange import write_failure, write_model
from engine.frontend.files import Source, name_of, naming
from engine.frontend.reading import read_model, read_saved


def main() -> None:
    """Answer the one request that stands on standard input."""
    request = json.loads(sys.stdin.buffer.readline())
    limits = request["limits"]
    _limit(**limits)
    source, arch = (_source(request[key]) for key in ("source", "arch"))
    assert source is not None
    out: BinaryIO = sys.stdout.buffer
    try:
        with ExitStack() as stack:
            if request["whole"]:
                saved = read_model(source, arch, stack)
            with naming(name_of(source)):
                if not request["whole"]:
                    saved = read_saved(source, stack)
                if request["build"]:
                    try_out(saved)
                write_model(saved, out)
    except EngineError as error:
        write_failure(error, out)
    except MemoryError:
        reason = f"{name_of(source)}: needs more than {limits['memory'] >> 20} MiB to be read"
        write_failure(LimitExceededError(reason), out)


def _limit(memory: int, seconds: int, answer: int) -> None:
    """Bound the memory, the processor time and the answer of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    for limit, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, answer),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


class _Content(io.BytesIO):
    name = ""


def _source(described: Any) -> Source | None:
    """A path as it is; content comes after the request, in the order of the sources."""
    if not isinstance(described, dict):
        return None if described is None else str(described)
    content = _Content(sys.stdin.buffer.read(described["size"]))
    content.name = described["name"]
    return content
