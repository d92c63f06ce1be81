"""Model files read in a process of their own, from which nothing comes but arrays and a graph, both checked.

What the HDF5 library does to damaged bytes ends there: a crash, a hang, or all memory taken, is an error here. The
child has the user's rights: it bounds faults, and is no cage for code.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from tempfile import TemporaryFile
from typing import IO, Any

from engine import child, errors
from engine.errors import EngineError, LimitExceededError, ModelFileError
from engine.frontend.exchange import Failure, read_network
from engine.frontend.files import LentFile, Source, name_of, naming, open_bytes
from engine.frontend.network import Network
from engine.ir.ops import Shape

MEMORY = 4 << 30
ANSWER = 64 << 30
SECONDS = 120
_MODULE = "engine.frontend.sandboxed"
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def open_in_sandbox(
    source: Source,
    arch: Source | None = None,
    shapes: Sequence[Shape] | None = None,
    outputs: Sequence[str] | None = None,
) -> Network:
    """As `open_model`, by a child process. A network keeps its weights in a temporary file until it is closed.

    Raises `ModelFileError` where the child crashes, `LimitExceededError` where it needs too much. Functions of this
    process, and layers registered in it, are not known there. Without the module `resource`, as on Windows, only the
    time is bounded.
    """
    if not child.has_python():
        raise EngineError("a sandbox needs a Python to start, and there is none")
    resources = ExitStack()
    try:
        with naming(name_of(source)):
            found = _answer(source, arch, {"shapes": shapes, "outputs": outputs}, resources)
        if isinstance(found, Failure):
            raise _error(found)
    except BaseException:
        resources.close()
        raise
    return found


def _answer(source: Source, arch: Source | None, options: Mapping[str, Any], resources: ExitStack) -> Network | Failure:
    contents: list[bytes] = []
    request = {
        "source": _described(source, contents),
        "arch": None if arch is None else _described(arch, contents),
        "limits": {"memory": MEMORY, "seconds": SECONDS, "answer": ANSWER},
        **options,
    }
    asked = b"".join([child.search_path(), json.dumps(request).encode(), b"\n", *contents])
    answer = resources.enter_context(TemporaryFile())  # noqa: SIM115  # the weights stay in it
    command, environment = child.command(_MODULE), child.environment(**_ONE_THREAD)
    with TemporaryFile() as said:
        try:
            done = subprocess.run(
                command,
                input=asked,
                stdout=answer,
                stderr=said,
                env=environment,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LimitExceededError(f"was not read within {SECONDS} seconds") from None
        if done.returncode:
            raise _fault(done.returncode, said)
    return read_network(resources.enter_context(closing(LentFile(answer))), resources)


def _described(source: Source, contents: list[bytes]) -> Any:
    """What the child is told of a source; what is no path goes to it whole."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    with closing(open_bytes(source)) as file:
        contents.append(file.read_at(0, file.size))
    return {"size": len(contents[-1]), "name": name_of(source)}


def _fault(status: int, messages: IO[bytes]) -> EngineError:
    """What to say of a child that ended in any other way than by answering."""
    if status == -getattr(signal, "SIGXCPU", 0):
        return LimitExceededError(f"was not read within {SECONDS} seconds")
    messages.seek(0)
    lines = messages.read(1 << 20).decode(errors="replace").split("\n")
    last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    if "MemoryError" in last:
        return LimitExceededError(f"needs more than {MEMORY >> 20} MiB to be read")
    how = signal.Signals(-status).name if -status in set(signal.Signals) else f"exit status {status}"
    return ModelFileError(f"cannot be read: the process that read it ended with {how}{f': {last}' if last else ''}")


def _error(found: Failure) -> EngineError:
    named = getattr(errors, found.error, None)
    kind = named if isinstance(named, type) and issubclass(named, EngineError) else ModelFileError
    return kind(" ".join(found.message.split()))
