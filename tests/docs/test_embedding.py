"""Every example of docs/embedding.md, run."""

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

import engine
from engine import settings
from tests.docs.blocks import blocks, files, furnish
from tests.processes import ROOT

PAGE = "docs/embedding.md"
EXAMPLES = files(PAGE)
TESTED = {
    "script.py", "features.py", "serve.py", "flask_app.py", "fastapi_app.py", "tasks.py", "pool.py", "window.py",
    "handler.py",
}  # fmt: skip
THREE = (ROOT / "samples" / "3_b.png").read_bytes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all examples, in which the test works."""
    furnish(tmp_path)
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, name], cwd=folder, env=variables | environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def imported(name: str, folder: Path) -> Any:
    spec = spec_from_file_location(f"example_{Path(name).stem}", folder / name)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested() -> None:
    assert EXAMPLES.keys() == TESTED


def test_the_contents_are_the_headings() -> None:
    text = (ROOT / PAGE).read_text()
    anchors = re.findall(r"^- \[.*?\]\(#(.*?)\)", text, re.MULTILINE)
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert anchors == [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_script(folder: Path) -> None:
    done = run("script.py", folder)
    assert done.stderr.endswith("100/100\n")
    assert "conv3 (Conv2D)" in done.stdout
    *_, three, seven = done.stdout.splitlines()
    assert re.fullmatch(r"samples/3_b\.png 3 [01]\.\d{4} \['3', '\d', '\d'\]", three)
    assert re.fullmatch(r"samples/7_a\.jpg 7 [01]\.\d{4} \['7', '\d', '\d'\]", seven)


def test_features(folder: Path) -> None:
    assert run("features.py", folder).stdout.splitlines() == [
        "(2, 14, 14, 128) (2, 7, 7, 128)",
        "(None, 6272) (2, 6272)",
        "Conv2D [3, 3] [(3, 3, 1, 32), (32,)]",
    ]


def test_serve(folder: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), imported("serve.py", folder).Handler) as server:
        server.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            with urlopen(url, THREE) as answer:
                assert json.load(answer)["label"] == "3"
            with pytest.raises(HTTPError) as caught:
                urlopen(url, b"no image")
            assert caught.value.code == 415
            assert json.load(caught.value)["error"]
        finally:
            server.shutdown()


@pytest.mark.skipif(find_spec("flask") is None, reason="Flask is not installed")
def test_flask(folder: Path) -> None:
    client = imported("flask_app.py", folder).app.test_client()
    assert client.post("/classify", data=THREE).json["label"] == "3"
    assert client.post("/classify", data=b"no image").status_code == 415


async def post(app: Any, path: str, body: bytes) -> tuple[int, Any]:
    """What an ASGI app answers to a request: its status and its JSON."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [], "server": ("test", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.mark.skipif(find_spec("fastapi") is None, reason="FastAPI is not installed")
def test_fastapi(folder: Path) -> None:
    app = imported("fastapi_app.py", folder).app
    status, answer = asyncio.run(post(app, "/classify", THREE))
    assert (status, answer["label"]) == (200, "3")
    assert asyncio.run(post(app, "/classify", b"no image"))[0] == 415


def test_tasks(folder: Path) -> None:
    assert re.fullmatch(r"cancelled after \d+ of 10000000 examples\n", run("tasks.py", folder).stdout)


def test_pool(folder: Path) -> None:
    labels, totals = run("pool.py", folder).stdout.splitlines()
    assert labels == "['3', '3', '3']"
    assert len(json.loads(totals)) == 3


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A screen: the one there is, or a virtual one."""
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        if not shutil.which("Xvfb"):
            pytest.skip("there is no display, and Xvfb is not installed")
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24"]
        server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as numbers:
            monkeypatch.setenv("DISPLAY", f":{numbers.readline().strip()}")
        yield
        server.terminate()
        server.wait()
    else:
        yield


@pytest.mark.skipif(find_spec("tkinter") is None, reason="this Python has no tkinter")
def test_window(folder: Path, display: None) -> None:
    module = imported("window.py", folder)
    window = module.Window(module.engine.Classifier("weights/mnist.h5"))
    try:
        for path, shown in (("samples/3_b.png", r"3 \(\d+\.\d%\)"), ("weights/mnist.json", ".*mnist.json.*")):
            window.ask(path)
            deadline = time.monotonic() + 60
            while window.text.get() == "…" and time.monotonic() < deadline:
                window.update()
                time.sleep(0.01)
            assert re.fullmatch(shown, window.text.get())
    finally:
        window.destroy()


def compiled_already() -> Path:
    """The kernels of this test run, so that only what is missing is compiled again."""
    engine.load_model(ROOT / "weights" / "mnist.h5")
    found = settings.cache_dir()
    assert found is not None
    return found


@pytest.mark.skipif(os.name != "posix", reason="a Dockerfile's commands are a POSIX shell's")
def test_lambda(tmp_path: Path) -> None:
    (dockerfile,) = blocks(PAGE, "dockerfile")
    named = re.search(r"^COPY (handler\.py .*) \$\{LAMBDA_TASK_ROOT\}/$", dockerfile, re.MULTILINE)
    settings = re.search(r"^ENV (.*)$", dockerfile, re.MULTILINE)
    built = re.search(r'^RUN python -c "(.*)" && (chmod -R \S+) \$\{ENGINE_CACHE_DIR\}$', dockerfile, re.MULTILINE)
    assert named
    assert settings
    assert built
    task, kernels = tmp_path / "task", tmp_path / "kernels"
    task.mkdir()
    for name in named[1].split():
        if name in EXAMPLES:
            (task / name).write_text(EXAMPLES[name])
        else:
            shutil.copy(ROOT / "weights" / name, task)
    environment = dict(setting.split("=") for setting in settings[1].split())
    assert environment.keys() == {"ENGINE_CACHE_DIR", "ENGINE_ISA"}
    environment = {"ENGINE_CACHE_DIR": str(kernels)}
    shutil.copytree(compiled_already(), kernels)
    (task / "build.py").write_text(built[1])
    run("build.py", task, **environment)
    subprocess.run([*built[2].split(), kernels], check=True)
    event = {"body": base64.b64encode(THREE).decode()}
    (task / "call.py").write_text(
        "import json, sys, handler\n"
        f"print(json.dumps(handler.handler({event}, None)))\n"
        "assert 'numba' not in sys.modules\n"
    )
    before = {path: path.stat().st_mtime_ns for path in kernels.rglob("*")}
    done = run("call.py", task, **environment)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert (answer["statusCode"], answer["body"]["label"]) == (200, "3")
    assert {path: path.stat().st_mtime_ns for path in kernels.rglob("*")} == before
    assert len(before) > 3
    assert all(path.stat().st_mode & 0o004 for path in before)
