"""The child process of `sandbox.py`: sets limits on itself, opens a model, and writes it to standard output."""

import io
import json
import sys
from typing import Any, BinaryIO

from engine.errors import EngineError, LimitExceededError
from engine.frontend import Source, name_of, open_model
from engine.frontend.exchange import write_failure, write_network


def main() -> None:
    """Answer the one request that stands on standard input."""
    request = json.loads(sys.stdin.buffer.readline())
    limits = request["limits"]
    _limit(**limits)
    source, arch = (_source(request[key]) for key in ("source", "arch"))
    assert source is not None
    out: BinaryIO = sys.stdout.buffer
    try:
        shapes = request["shapes"] and [tuple(shape) for shape in request["shapes"]]
        with open_model(source, arch, None, shapes, request["outputs"]) as network:
            write_network(network, out)
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
