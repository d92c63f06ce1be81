"""A batch among broken files, pipes, signals, full disks and small encodings: nothing lost, and the right exit code."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.test_process import FAKE, ROOT, SLOW, command, environment, heed_sigint, run
from tests.fake_model import FakeModel

Infer = Callable[..., Result]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes, signals and devices")


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def batch(folder: Path) -> Callable[[int], list[Path]]:
    """Makes images/ hold so many images, which are links to one."""

    def make(count: int) -> list[Path]:
        for path in (folder / "images").iterdir():
            if path.name != "c.png":
                path.unlink()
        source = folder / "images" / "c.png"
        paths = [folder / "images" / f"{i:06}.png" for i in range(count)]
        for path in paths:
            path.hardlink_to(source)
        source.unlink()
        return paths

    return make


@pytest.mark.parametrize("bad", [{0}, {95}, {31}, {32}, {31, 32, 63}, set(range(32, 64)), set(range(96))], ids=str)
def test_broken_images_among_many(bad: set[int], infer: Infer, batch: Callable[[int], list[Path]]) -> None:
    check_broken(96, bad, infer, batch)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [{0}, {9_999}, {4_991}, {4_992}], ids=str)
def test_one_broken_image_among_ten_thousand(bad: set[int], infer: Infer, batch: Callable[[int], list[Path]]) -> None:
    check_broken(10_000, bad, infer, batch)


def check_broken(count: int, bad: set[int], infer: Infer, batch: Callable[[int], list[Path]]) -> None:
    paths = batch(count)
    for i in bad:
        paths[i].unlink()
        paths[i].write_bytes(b"\x89PNG broken")
    result = infer("images", "--format", "jsonl")
    assert result.exit_code == 3
    found = records(result.stdout)
    assert [record["path"] for record in found] == [f"images/{path.name}" for path in paths]
    assert {i for i, record in enumerate(found) if "error" in record} == bad
    assert {record["label"] for record in found if "label" in record} <= {"4"}


def test_images_that_vanish_are_error_records(
    infer: Infer, batch: Callable[[int], list[Path]], model: FakeModel
) -> None:
    paths = batch(60)
    scores = model.answer

    def answer(x: Any) -> Any:
        paths[-1].unlink(missing_ok=True)
        return scores(x)

    model.answer = answer
    result = infer("images", "--format", "jsonl", "--batch-size", "4")
    assert result.exit_code == 3
    found = records(result.stdout)
    assert len(found) == 60
    assert found[-1] == {"path": f"images/{paths[-1].name}", "error": "No such file or directory"}


def test_what_is_no_file_is_an_error_record_at_once(infer: Infer, folder: Path) -> None:
    images = folder / "images"
    os.mkfifo(images / "fifo.png")
    (images / "zero.png").symlink_to("/dev/zero")
    (images / "loop.png").symlink_to("loop.png")
    (images / "dangling.png").symlink_to("nowhere")
    (images / "up").symlink_to("..")
    (images / "dir.png").mkdir()
    found = {record["path"]: record.get("error") for record in records(infer("images", "--format", "jsonl").stdout)}
    assert {path: error for path, error in found.items() if error} == {
        "images/dangling.png": "No such file or directory",
        "images/fifo.png": "not a regular file",
        "images/loop.png": os.strerror(40) if sys.platform == "linux" else found["images/loop.png"],
        "images/zero.png": "not a regular file",
    }
    assert len(found) == 8


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_error_records(infer: Infer, folder: Path) -> None:
    (folder / "images" / "b.png").chmod(0)
    result = infer("images", "--format", "jsonl")
    assert [record.get("error") for record in records(result.stdout)][1] == "Permission denied"


MEMORY = """
import sys
def peak():
    # ru_maxrss begins with that of the process before exec
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM"))
from click.testing import CliRunner
from cli import main
def classify(folder):
    arguments = [folder, "--weights", sys.argv[1], "-o", folder + ".csv", "-q"]
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
classify("images")
before = peak()
classify("more")
print(peak() - before)
"""


def memory_growth(folder: Path, count: int) -> int:
    """MiB that a run of `count` images needs more than one of 256."""
    for name, size in (("images", 256), ("more", count)):
        (folder / name).mkdir(exist_ok=True)
        for i in range(size):
            path = folder / name / f"{i:06}.png"
            first = path.with_name(f"{i - i % 10_000:06}.png")  # a file has at most 65,000 names on ext4
            if path != first:
                os.link(first, path)
            else:
                path.write_bytes((folder / "images" / "c.png").read_bytes())
    weights = str(ROOT / "weights" / "mnist_dense.h5")
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, weights], env=environment(), capture_output=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (folder / "more.csv").read_bytes().count(b"\n") == count + 1
    print(f"{count} images: {int(done.stdout)} MiB more than for 256")
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_images(folder: Path) -> None:
    assert memory_growth(folder, 3_000) < 16


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_hundred_thousand_images(folder: Path) -> None:
    assert memory_growth(folder, 100_000) < 48


def started(folder: Path, *arguments: str, setup: str = FAKE + SLOW) -> subprocess.Popen[bytes]:
    """A slow run of one image at a time that has answered a few."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command("images", "--weights", "./m.h5", "--batch-size", "1", *arguments, setup=setup),
        env=environment(),
        stdout=pipe,
        stderr=pipe,
        preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread here
    )
    batches = folder / "batches"
    while not (batches.exists() and batches.stat().st_size > 3):
        assert process.poll() is None
        time.sleep(0.02)
    return process


def test_sigterm_ends_between_two_records(folder: Path, batch: Callable[[int], list[Path]]) -> None:
    batch(300)
    with started(folder, "--format", "json") as process:
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 143
    assert errors.splitlines()[-1] == b"Terminated"
    assert 0 < len(json.loads(output)) < 300


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGTERM, "csv"), (signal.SIGINT, "tsv"), (signal.SIGKILL, "jsonl")]
)
def test_a_stopped_run_is_continued(number: int, name: str, folder: Path, batch: Callable[[int], list[Path]]) -> None:
    batch(100)
    with started(folder, "-o", f"o.{name}") as process:
        time.sleep(random.uniform(0, 0.3))
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    assert not (folder / f"o.{name}").exists()
    assert run("images", "--weights", "./m.h5", "-o", f"o.{name}", "--resume").returncode == 0
    assert (folder / f"o.{name}").read_bytes() == run("images", "--weights", "./m.h5", "--format", name).stdout
    assert not (folder / f"o.{name}.partial").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_model_is_loaded(number: int, code: int, folder: Path) -> None:
    setup = (
        FAKE
        + """
import engine, time
def load(path, **options):
    open("batches", "w").write("loading")
    time.sleep(60)
engine.load_model = load
"""
    )
    with started(folder, setup=setup) as process:
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (code, b"")
    assert errors.count(b"\n") == 1


def test_a_second_signal_does_not_wait(folder: Path, batch: Callable[[int], list[Path]]) -> None:
    setup = (
        FAKE
        + SLOW
        + """
from engine.report import FORMATS
def stuck(records, layout):
    for record in records:
        yield "x"
        while True:
            time.sleep(0.01)
import engine.report
engine.report.FORMATS = {**FORMATS, "csv": stuck}
"""
    )
    batch(10)
    with subprocess.Popen(
        command("images", "--weights", "./m.h5", "--batch-size", "1", "--format", "csv", setup=setup),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread here
    ) as process:
        while not (folder / "batches").exists():
            time.sleep(0.02)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def limit_file_size() -> None:
    """A disk on which a file has room for 4 KiB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@pytest.mark.parametrize("name", ["csv", "jsonl", "txt", "json"])
def test_a_full_disk_under_the_output(name: str, folder: Path, batch: Callable[[int], list[Path]]) -> None:
    batch(300)
    arguments = ("images", "--weights", "./m.h5", "-o", f"o.{name}", "-q")
    result = run(*arguments, preexec_fn=limit_file_size)
    assert result.returncode == 1
    assert result.stderr.decode() == f"Error: o.{name}: {os.strerror(27)}\n"
    assert not (folder / f"o.{name}").exists()
    if name in ("csv", "jsonl"):
        assert (folder / f"o.{name}.partial").stat().st_size == 4096
        assert run(*arguments, "--resume").returncode == 0
        form = run("images", "--weights", "./m.h5", "--format", name).stdout
        assert (folder / f"o.{name}").read_bytes() == form
    assert not list(folder.glob(".infer*"))


@pytest.mark.parametrize(
    "variables",
    [{"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "cp1252"}],
    ids=["C", "cp1252"],
)
@pytest.mark.parametrize("name", ["table", "csv", "jsonl"])
def test_names_and_labels_in_small_encodings(name: str, variables: dict[str, str], folder: Path) -> None:
    os.rename(b"images/b.png", "images/日本é.png".encode())
    os.rename(b"images/c.png", b"images/\xff.png")
    (folder / "labels.txt").write_text("\n".join(f"字{i}" for i in range(10)), "utf-8")
    arguments = ("images", "--weights", "./m.h5", "--labels", "labels.txt", "--format", name)
    result = run(*arguments, env=environment(**variables))
    assert result.returncode == 0, result.stderr
    if name == "csv":
        assert "images/日本é.png,字2,".encode() in result.stdout
        assert b"images/\xff.png," in result.stdout
    elif name == "jsonl":
        paths = [record["path"] for record in records(result.stdout.decode("ascii"))]
        assert {os.fsencode(path) for path in paths} >= {"images/日本é.png".encode(), b"images/\xff.png"}
    assert result.stdout.count(b"\n") == 4 + (name != "jsonl")


def test_a_broken_pipe_under_standard_input_and_output(folder: Path, batch: Callable[[int], list[Path]]) -> None:
    batch(2000)
    line = 'find images -name "*.png" -print0 | "$@" | head -1'
    arguments = command("--from-file", "-", "-0", "--weights", "./m.h5", "--format", "jsonl", "-q")
    done = subprocess.run(
        ["sh", "-c", line, "sh", *arguments], env=environment(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(records(done.stdout.decode())) == 1


def test_a_closed_standard_input_is_wrong_usage(folder: Path) -> None:
    arguments = ["sh", "-c", '"$@" <&-', "sh", *command("-", "--weights", "./m.h5")]
    result = subprocess.run(arguments, env=environment(), capture_output=True, timeout=60, check=False)
    assert result.returncode == 2
    assert b"standard input, which is closed" in result.stderr
