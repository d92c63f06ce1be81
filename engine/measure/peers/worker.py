"""A runtime in a process of its own, stopped whenever it is not being asked something."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.errors import EngineError
from engine.measure.peers.table import ENGINE

SERVER = Path(__file__).parents[1] / "foreign" / "serve.py"
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


class WorkerError(EngineError):
    """The runtime refused a request, died or was silent for too long; the message is one line."""


class Worker:
    """Serves runtime `name` with the interpreter `python`; to be used as a context manager."""

    def __init__(self, name: str, python: str, patience: float = 900.0) -> None:
        self._patience = patience
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed in __exit__
        path = {"PYTHONPATH": os.pathsep.join(sys.path)} if name == ENGINE else {}
        self._process = subprocess.Popen(
            [python, str(SERVER), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | _QUIET | path,
        )

    def ask(self, do: str, **arguments: object) -> Any:
        """Let the process run for one request. Raises WorkerError."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], self._patience)[0]:
                raise WorkerError(f"no answer to {do!r} in {self._patience:.0f} s")
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            self._process.send_signal(signal.SIGSTOP)
        if not line:
            raise WorkerError(self._last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["value"]

    @property
    def alive(self) -> bool:
        """Whether the process can be asked again."""
        return self._process.poll() is None

    def _last_words(self) -> str:
        self._process.send_signal(signal.SIGCONT)
        status = self._process.wait()
        self._log.seek(0)
        return f"the process ended with status {status}: {last_line(self._log.read())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()


def last_line(text: str) -> str:
    """The last line that is not blank, at most 300 characters; empty if there is none."""
    return next((line.strip()[:300] for line in reversed(text.splitlines()) if line.strip()), "")
