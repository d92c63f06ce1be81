"""`infer` as a process of its own: pipes, terminals, signals, encodings, start."""

import errno
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FAKE = """
import sys, time
import pytest
from tests.fake_model import FakeModel
model = FakeModel()
model.install(pytest.MonkeyPatch())
"""
RUN = "from cli import main; main(prog_name='infer')"
SLOW = """
scores = model.answer
def answer(x):
    with open("batches", "a") as file:
        file.write(".")
    time.sleep(0.1)
    return scores(x)
model.answer = answer
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes, signals and terminals")


def command(*arguments: str, setup: str = FAKE) -> list[str]:
    return [sys.executable, "-c", setup + RUN, *arguments]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **variables}


def run(*arguments: str, setup: str = FAKE, env: dict[str, str] | None = None, **options: Any) -> Any:
    options = {"capture_output": True, **options}
    return subprocess.run(
        command(*arguments, setup=setup), env=env or environment(), timeout=60, check=False, **options
    )


@pytest.fixture
def many(folder: Path) -> Path:
    """Enough images to fill a pipe."""
    for i in range(400):
        (folder / "images" / f"{'x' * 200}{i}.png").hardlink_to(folder / "images" / "a.png")
    return folder


@pytest.mark.parametrize("name", ["table", "csv", "json", "jsonl"])
def test_a_closed_pipe_ends_it_quietly(name: str, many: Path) -> None:
    arguments = command("images", "--weights", "./m.h5", "--format", name, "-q")
    with subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [("images", "-q"), ("summary",)])
def test_a_full_disk_is_one_line(arguments: tuple[str, ...], folder: Path) -> None:
    weights = ROOT / "weights" / "mnist_dense.h5"
    with open("/dev/full", "wb") as full:
        result = run(*arguments, "--weights", str(weights), capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1
    assert result.stderr.decode() == f"Error: stdout: {os.strerror(errno.ENOSPC)}\n"


def test_a_closed_stdout_is_one_line(folder: Path) -> None:
    line = " ".join(['"$@"', ">&-"])
    arguments = ["sh", "-c", line, "sh", *command("images", "--weights", "./m.h5", "-q")]
    result = subprocess.run(arguments, env=environment(), capture_output=True, timeout=60, check=False)
    assert result.returncode == 1
    assert result.stderr == b"Error: stdout: is closed\n"


def heed_sigint() -> None:
    """A process started in the background by a shell ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c(many: Path) -> None:
    arguments = command("images", "--weights", "./m.h5", "--format", "json", "--batch-size", "1", setup=FAKE + SLOW)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        arguments,
        env=environment(),
        stdout=pipe,
        stderr=pipe,
        preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread here
    ) as process:
        assert process.stdout is not None
        batches = many / "batches"
        while not (batches.exists() and batches.stat().st_size > 3):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == b"Interrupted"
    assert 0 < len(json.loads(output)) < 400


def test_names_and_labels_in_an_ascii_terminal(folder: Path) -> None:
    labels = ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]
    (folder / "labels.txt").write_text("\n".join(labels), "utf-8")
    os.rename(folder / "images" / "b.png", folder / "images" / "é.png")
    env = environment(PYTHONIOENCODING="ascii")
    result = run("images", "--weights", "./m.h5", "--labels", "labels.txt", env=env)
    assert result.returncode == 0, result.stderr
    assert rb"images/\xe9.png  deux" in result.stdout
    assert rb"images/a.png  z\xe9ro" in result.stdout


def test_warnings_as_errors_change_nothing(folder: Path) -> None:
    image = Image.new("P", (28, 28), 3)
    image.putpalette([30] * 768)
    image.save(folder / "images" / "e.png", transparency=bytes(range(256)))
    expected = run("images", "--weights", "./m.h5").stdout
    strict = [sys.executable, "-W", "error", *command("images", "--weights", "./m.h5", "-q")[1:]]
    result = subprocess.run(strict, env=environment(), capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr, result.stdout) == (0, b"", expected)


def in_terminal(arguments: list[str], stdout_too: bool, code: int = 0) -> tuple[bytes, bytes]:
    """What the command writes to a terminal that is its stderr (and stdout), and to stdout if that is a pipe."""
    ours, theirs = pty.openpty()
    stdout = theirs if stdout_too else subprocess.PIPE
    with subprocess.Popen(arguments, env=environment(TERM="xterm"), stdout=stdout, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        piped = process.stdout.read() if process.stdout else b""
        assert process.wait(30) == code
    os.close(ours)
    return shown, piped


def test_the_bar_is_on_stderr(folder: Path) -> None:
    shown, piped = in_terminal(command("images", "--weights", "./m.h5"), stdout_too=False)
    assert b"4/4" in shown
    assert piped == run("images", "--weights", "./m.h5").stdout
    assert b"\r" not in piped


def test_rows_and_bar_share_a_terminal(folder: Path) -> None:
    arguments = command("images", "--weights", "./m.h5", "--format", "jsonl", "--batch-size", "1")
    shown, _ = in_terminal(arguments, stdout_too=True)
    rows = [line.rsplit(b"\x1b[K", 1)[-1] for line in shown.split(b"\n") if b"{" in line]
    assert [json.loads(row)["index"] for row in rows] == [0, 2, 4, 5]


def test_scores_have_bars_in_a_terminal_and_no_colours(folder: Path) -> None:
    shown, _ = in_terminal(command("images", "--weights", "./m.h5"), stdout_too=True)
    rows = [line for line in shown.decode().splitlines() if "images/b.png" in line]
    assert rows[0].rstrip().endswith("0.9100       █████████▏")
    assert b"\x1b[3" not in shown
    assert b"images/s" in shown.splitlines()[-1]


def test_errors_so_far_are_beside_the_bar(folder: Path) -> None:
    (folder / "images" / "0.png").write_bytes(b"bad")
    shown, _ = in_terminal(command("images", "--weights", "./m.h5"), stdout_too=False, code=3)
    assert b"5/5" in shown
    assert b"1 failed" in shown
    assert b"1 of 5 images could not be read" in shown.splitlines()[-1]


def test_a_bar_without_an_end_where_the_number_is_not_known(folder: Path) -> None:
    with tarfile.open(folder / "a.tar", "w") as archive:
        archive.add("images")
    shown, piped = in_terminal(command("a.tar", "--weights", "./m.h5", "--format", "jsonl"), stdout_too=False)
    assert len(piped.splitlines()) == 4
    assert b"images/s" in shown


def test_quiet_in_a_terminal(folder: Path) -> None:
    shown, piped = in_terminal(command("images", "--weights", "./m.h5", "-q"), stdout_too=False)
    assert shown == b""
    assert len(piped.splitlines()) == 5


def test_no_bar_in_a_dumb_terminal_or_a_pipe(folder: Path) -> None:
    (line,) = run("images", "--weights", "./m.h5").stderr.splitlines()
    assert line.startswith(b"Images: ")
    assert run("images", "--weights", "./m.h5", "-q").stderr == b""


LATE = ("numpy", "PIL", "h5py", "numba", "llvmlite", "engine.model", "engine.classify")


@pytest.mark.parametrize("arguments", [("--help",), ("classify", "--help"), ("nowhere.png",)])
def test_what_needs_no_model_imports_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    setup = f"import atexit, sys; atexit.register(lambda: print([m for m in {LATE} if m in sys.modules]))\n"
    result = run(*arguments, setup=setup, cwd=tmp_path)
    assert result.stdout.splitlines()[-1] == b"[]"


def test_a_file_needs_no_libraries_of_other_forms(folder: Path) -> None:
    setup = FAKE + "import atexit; atexit.register(lambda: print([m for m in LATE if m in sys.modules]))\n"
    late = (
        "rich",
        "pyarrow",
        "engine.journal",
        "engine.sorting",
        "tarfile",
        "engine.report.features",
        "numba",
    )
    result = run("images", "--weights", "./m.h5", setup=setup.replace("LATE", repr(late)))
    assert result.stdout.splitlines()[-1] == b"[]"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("infer su", b"plain,summary"),
        ("infer samples --fo", b"plain,--format"),
        ("infer samples --format j", b"plain,json\nplain,jsonl"),
        ("infer im", b"file,"),
        ("infer images --weights m", b"file,"),
        ("infer images other", b"file,"),
    ],
)
def test_shells_complete(words: str, expected: bytes, tmp_path: Path) -> None:
    count = str(len(words.split()) - 1)
    env = environment(_INFER_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert expected in run(setup="", env=env, cwd=tmp_path).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, tmp_path: Path) -> None:
    result = run(setup="", env=environment(_INFER_COMPLETE=f"{shell}_source"), cwd=tmp_path)
    assert b"_infer_completion" in result.stdout
