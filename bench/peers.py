"""The runtimes the engine is compared with, each in a virtual environment of its own.

`python -m bench.peers` makes the environments that are missing or whose pins changed; `--check` prints what they hold.
They live under `ENGINE_BENCH_ENVS` (default `~/.cache/numba-infer/bench-envs`).
"""

import argparse
import json
import shutil
import subprocess
import sys
import venv

from engine.measure.peers.worker import Worker, WorkerError
from engine.settings import bench_environments

ENVIRONMENTS = {
    "tensorflow": ("tensorflow-cpu==2.21.0", "keras==3.15.1", "numpy==2.4.6", "h5py==3.14.0"),
    "convert": ("tf2onnx==1.17.0", "tensorflow-cpu==2.21.0", "onnx==1.23.2", "numpy==2.4.6", "protobuf==7.36.2"),
    "onnxruntime": ("onnxruntime==1.31.1", "numpy==2.4.6"),
    "openvino": ("openvino==2026.4.1", "numpy==2.4.6"),
    "litert": ("ai-edge-litert==2.3.0", "numpy==2.4.6"),
}


ENVIRONMENT_OF = {
    "engine": None,
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "litert": "litert",
}
"""The environment of each runtime; None is this interpreter's."""

_VERSIONS = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name'].lower().replace('_', '-'): d.version for d in m.distributions()}))"
)


def python_of(environment: str | None) -> str:
    """The interpreter of an environment; None is this one."""
    return str(bench_environments() / environment / "bin" / "python") if environment else sys.executable


def is_ready(environment: str) -> bool:
    """Whether the environment exists with exactly the pins of the table."""
    stamp = bench_environments() / environment / "pins.json"
    return stamp.is_file() and json.loads(stamp.read_text()) == list(ENVIRONMENTS[environment])


def start(name: str) -> Worker:
    """A process that serves a runtime. Raises WorkerError where its environment is missing."""
    environment = ENVIRONMENT_OF[name]
    if environment and not is_ready(environment):
        raise WorkerError(f"environment {environment} is missing: run python -m bench.peers")
    return Worker(name, python_of(environment))


def create(environment: str) -> None:
    """Make one environment from its pins; it counts as ready only when everything was installed."""
    folder = bench_environments() / environment
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    subprocess.run([python_of(environment), "-m", "pip", "install", "--quiet", *ENVIRONMENTS[environment]], check=True)
    (folder / "pins.json").write_text(json.dumps(ENVIRONMENTS[environment]))


def versions(environment: str | None) -> dict[str, str]:
    """Name (lower case, with hyphens) to version of every distribution in an environment."""
    done = subprocess.run([python_of(environment), "-c", _VERSIONS], check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def main() -> int:
    """Command line: make the environments, or with `--check` say what they hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these of " + ", ".join(ENVIRONMENTS))
    parser.add_argument("--check", action="store_true", help="print versions, install nothing")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ENVIRONMENTS):
        parser.error(f"no such environment: {', '.join(sorted(unknown))}")
    missing = False
    for name in options.names or ENVIRONMENTS:
        if not options.check and not is_ready(name):
            print(f"{name}: installing {' '.join(ENVIRONMENTS[name])}", flush=True)
            create(name)
        if is_ready(name):
            found = versions(name)
            wanted = (pin.split("==")[0].lower().replace("_", "-") for pin in ENVIRONMENTS[name])
            print(f"{name}: " + ", ".join(f"{package} {found[package]}" for package in wanted))
        else:
            missing = True
            print(f"{name}: missing or with other pins; make it with python -m bench.peers {name}")
    return int(missing)


if __name__ == "__main__":
    sys.exit(main())
