"""Reading a model opens no other file, imports nothing, runs nothing: an audit hook listens while files are loaded."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.frontend.handmade import dense_model, write_dense
from tests.fuzz.hostile import build_all
from tests.golden import GOLDEN
from tests.processes import ROOT

LISTENER = """
import encodings.ascii, heapq, json, sys  # the first two are what the standard library imports late
from engine.errors import EngineError
from engine.frontend import open_model

HARMLESS = ("object.", "sys._getframe", "builtins.id")
heard = []


def load(path, arch=None):
    try:
        with open_model(path, arch) as network:
            for weight in network.graph.weights():
                weight.read()
    except EngineError as error:
        return type(error).__name__
    return "read"


def listen(event, args):
    if not event.startswith(HARMLESS):
        heard.append([event, *(repr(a) if not isinstance(a, str | bytes | int) else a for a in args[:2])])


warm, paths = json.loads(sys.stdin.read())
for path in warm:
    load(*path)
sys.path.insert(0, sys.argv[1])
sys.addaudithook(listen)
found = {}
for path in paths:
    heard.clear()
    outcome = load(*path)
    found[path[0]] = [outcome, list(heard)]
modules = sorted(sys.modules)
print(json.dumps([found, [name for name in modules if name in ("canary", "pickle_canary")]], default=repr))
"""


def listened(folder: Path, warm: list[list[str]], paths: list[list[str]]) -> dict[str, Any]:
    """The outcome and the audit events of loading each file, after those in `warm` have been loaded."""
    (folder / "canary.py").write_text("def run(*args, **kwargs): raise SystemExit('the canary sang')\n")
    done = subprocess.run(
        [sys.executable, "-c", LISTENER, str(folder)],
        input=json.dumps([warm, paths]), capture_output=True, text=True, cwd=ROOT, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, canaries = json.loads(done.stdout)
    assert canaries == []
    return dict(found)


def others(path: str, events: list[list[Any]]) -> Iterator[list[Any]]:
    """Events that are more than opening the file itself, by its name and then by its descriptor."""
    for event in events:
        if event[0] != "open" or (event[1] != path and not isinstance(event[1], int)):
            yield event


@pytest.fixture
def harmless(tmp_path: Path) -> list[list[str]]:
    """A file of every format: full model, archive, folder, weights with their description, shards."""
    other, folder = GOLDEN / "other" / "k3", tmp_path / "folder"
    with zipfile.ZipFile(other / "rnn_cells.keras") as archive:
        archive.extractall(folder)
    (tmp_path / "arch.json").write_text(json.dumps(dense_model()))
    return [
        [str(write_dense(tmp_path / "m.h5"))],
        [str(write_dense(tmp_path / "described.h5")), str(tmp_path / "arch.json")],
        [str(other / "rnn_cells.keras")],
        [str(GOLDEN / "k3" / "sequential_seed_cnn.h5")],
        [str(other / "sequential_seed_cnn.weights.h5"), str(GOLDEN / "k3" / "sequential_seed_cnn.h5")],
        [str(folder)],
    ]


def test_harmless_files_are_the_only_ones_opened(harmless: list[list[str]], tmp_path: Path) -> None:
    found = listened(tmp_path, harmless, harmless)
    for path, *arch in harmless:
        outcome, events = found[path]
        assert outcome == "read"
        opened = {event[1] for event in others(path, events)}
        allowed = {*arch, *(str(p) for p in Path(path).glob("*"))} if arch or Path(path).is_dir() else set()
        assert {event[0] for event in others(path, events)} <= {"open"}, events
        assert opened <= allowed, events


def test_files_that_attack_open_import_and_run_nothing(harmless: list[list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "attacks"
    folder.mkdir()
    names = build_all(folder)
    paths = [[str(path)] for path in sorted(folder.iterdir())]
    found = listened(tmp_path, harmless, paths)
    assert len(found) == len(names) > 90
    guilty = {path: list(others(path, events)) for path, (_, events) in found.items()}
    assert not {path: events for path, events in guilty.items() if events}


def test_the_listener_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same listener with a reader that opens, imports and runs things."""
    guilty = "exec(compile('import colorsys', 'x', 'exec')); open('/dev/null').close(); __import__('os').system('true')"
    code = LISTENER.replace("        with open_model(path, arch) as network:", f"        {guilty}\n        if True:")
    code = code.replace("network.graph.weights()", "()")
    monkeypatch.setattr(sys.modules[__name__], "LISTENER", code)
    write_dense(tmp_path / "m.h5")
    heard = {event[0] for event in listened(tmp_path, [], [[str(tmp_path / "m.h5")]])[str(tmp_path / "m.h5")][1]}
    assert {"open", "import", "exec", "compile", "os.system"} <= heard
