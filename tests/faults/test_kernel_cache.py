"""First starts under every misfortune: right numbers, at most one warning beside the notice, and the next one works."""

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import engine
from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits, this_machine
from engine.runtime import native, store
from engine.runtime.warmup import all_kernels
from tests.processes import ROOT, run_python

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals, users and limits are those of POSIX")
NOTICE = "compiling"
FEW = ("gemm", "tile", "softmax", "run")


@pytest.fixture(scope="module")
def full() -> Path:
    """The folder above the full store."""
    engine.load_model(ROOT / "weights" / "mnist_dense.h5")
    folder = store.folder(this_machine().isa.name)
    assert folder is not None
    return folder.parent


@pytest.fixture
def readable(full: Path) -> Iterator[Path]:
    """A copy of the full store, and a place below for an own one, that every user may read."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        name = store.folder(this_machine().isa.name)
        assert name is not None
        shutil.copytree(name, Path(place) / "full" / name.name)
        for path in Path(place).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield Path(place)


def start(
    full: Path, cache: Path | None, more: Mapping[str, str] | None = None, **options: object
) -> subprocess.Popen[str]:
    environment = {**os.environ, "FULL_STORE": str(full), "ENGINE_CACHE_DIR": str(cache), **(more or {})}
    if cache is None:
        del environment["ENGINE_CACHE_DIR"]
    command = [sys.executable, "-m", "tests.faults.first_run"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True, **options)  # type: ignore[call-overload,no-any-return]


def answer(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """The digest, and what was said beside it."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip(), err.splitlines()


@pytest.fixture(scope="module")
def right(full: Path) -> str:
    """The digest of the right answer."""
    digest, said = answer(start(full, full))
    assert said == []
    return digest


def files_of(cache: Path) -> list[str]:
    return sorted(f.name for f in cache.rglob("*") if f.is_file())


def test_eight_first_starts_at_once_compile_once(full: Path, right: str, tmp_path: Path) -> None:
    answers = [answer(p) for p in [start(full, tmp_path, {"SLOWNESS": "0.05"}) for _ in range(8)]]
    assert {digest for digest, _ in answers} == {right}
    assert sum(len(said) for _, said in answers) == 1
    assert not [name for name in files_of(tmp_path) if not name.endswith(".o")]


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from tests.faults import first_run
from engine.runtime import native
model = Path("weights/mnist_dense.h5").read_bytes()
first_run.digest(model)
first_run.compiling.compile_kernels = first_run.compile_kernels
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

def begin(cache, slowness):
    "A process that has imported all modules, has no kernels, and exits with 0 if its answer is right."
    pid = os.fork()
    if pid == 0:
        os.environ |= {{"ENGINE_CACHE_DIR": cache, "SLOWNESS": slowness}}
        native._addresses.clear()
        os._exit(0 if first_run.digest(model) == {right!r} else 1)
    return pid

def end(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

started = time.monotonic()
assert end(begin({place!r} + "/timed", "0.01")) == 0
whole, killed = time.monotonic() - started, 0
for i in range({count}):
    cache = f"{place}/{{i}}"
    pid = begin(cache, "0.01")
    time.sleep(random.Random(i).uniform(0, 1) * whole)
    os.kill(pid, signal.SIGKILL)
    killed += end(pid) == -signal.SIGKILL
    assert end(begin(cache, "0")) == 0, i
print(killed, "killed of", {count})
assert killed > {count} // 2
"""


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_first_start_killed_at_any_moment(count: int, full: Path, right: str, tmp_path: Path) -> None:
    code = KILLED.format(right=right, place=str(tmp_path), count=count)
    print(run_python(code, {"FULL_STORE": str(full)}, timeout=600).stdout)


@pytest.mark.slow
def test_a_real_compilation_that_is_killed_leaves_no_child(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import engine; engine.load_model('weights/mnist_dense.h5')"],
        cwd=ROOT, env={**os.environ, "ENGINE_CACHE_DIR": str(tmp_path)}, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"compiling")
    children = children_of(process.pid)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{child}/cmdline").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if Path(f"/proc/{child}/cmdline").exists()]


def children_of(pid: int) -> list[str]:
    deadline = time.monotonic() + 20
    tasks = Path(f"/proc/{pid}/task")
    while time.monotonic() < deadline:
        if found := [c for t in tasks.iterdir() for c in (t / "children").read_text().split()]:
            return found
        time.sleep(0.02)
    pytest.skip("this system does not tell the children of a process")


def test_files_may_not_grow(full: Path, right: str, tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    digest, said = answer(start(full, tmp_path, preexec_fn=limited))
    assert digest == right
    assert [line.split()[0] for line in said] == [NOTICE]
    assert not [name for name in files_of(tmp_path) if name.startswith(store.NEW)]
    assert answer(start(full, tmp_path))[0] == right


def test_a_full_disk(full: Path, right: str, tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(tmp_path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        digest, said = answer(start(full, tmp_path))
        assert digest == right
        assert [line.split()[0] for line in said] == [NOTICE]
        assert not [name for name in files_of(tmp_path) if name.startswith(store.NEW)]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_file_system_that_cannot_be_written(full: Path, right: str, tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,ro", "tmpfs", str(tmp_path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        digest, said = answer(start(full, tmp_path / "below"))
        assert (digest, [line.split()[0] for line in said]) == (right, [NOTICE])
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


needs_root = pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root can become another user")


@needs_root
def test_a_user_without_name_and_home(full: Path, readable: Path, right: str) -> None:
    more = {"BECOME": "54321", "TRUE_STORE": str(full)}
    digest, said = answer(start(readable / "full", None, more))
    assert (digest, [line.split()[0] for line in said]) == (right, [NOTICE])


@needs_root
def test_kernels_that_root_has_compiled_serve_every_user(full: Path, readable: Path, right: str) -> None:
    more = {"BECOME": "54321", "TRUE_STORE": str(full)}
    assert answer(start(readable / "full", readable / "full", more)) == (right, [])


@pytest.mark.parametrize("harm", ["open to all", "of another user"])
def test_code_that_another_could_have_written_is_not_loaded(harm: str, full: Path, right: str, readable: Path) -> None:
    cache = readable / "own"
    answer(start(full, cache))
    (folder,) = cache.iterdir()
    if harm == "open to all":
        folder.chmod(0o777)
    else:
        if os.getuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(folder, 12345, 12345)
    before = {f.name: f.stat().st_mtime_ns for f in folder.iterdir()}
    digest, said = answer(start(full, cache))
    assert digest == right
    assert len(said) == 2
    assert "others may write to it" in said[0]
    assert said[1].startswith(NOTICE)
    assert {f.name: f.stat().st_mtime_ns for f in folder.iterdir()} == before


@pytest.mark.parametrize("seed", range(3))
def test_damaged_swapped_and_missing_files(seed: int, full: Path, right: str, tmp_path: Path) -> None:
    answer(start(full, tmp_path))
    (folder,) = tmp_path.iterdir()
    files, choose = sorted(folder.iterdir()), random.Random(seed)
    for file in files:
        data = bytearray(file.read_bytes())
        harm = choose.choice(["flip", "cut", "empty", "swap", "remove", "directory", "none"])
        if harm == "flip":
            data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
            file.write_bytes(data)
        elif harm == "cut":
            file.write_bytes(data[: choose.randrange(len(data))])
        elif harm == "empty":
            file.write_bytes(b"")
        elif harm == "swap":
            file.write_bytes(choose.choice(files).read_bytes() if not file.is_dir() else b"")
        elif harm in ("remove", "directory"):
            file.unlink()
            if harm == "directory":
                file.mkdir()
        files = [f for f in files if f.is_file()]
    digest, said = answer(start(full, tmp_path))
    assert digest == right
    assert len(said) <= 1


OLDER = """
import sys
from engine.plan import machine
whole = machine.this_processor()
older = whole._replace(features=frozenset(f for f in whole.features if not f.startswith({missing!r})))
machine.this_processor = lambda: older
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
from engine.plan.machine import this_machine
from engine.runtime import store
assert this_machine().isa.name == {isa!r}, this_machine()
import engine, numpy as np
y = engine.load_model("weights/mnist_dense.h5").predict(np.ones((2, 28, 28, 1), np.float32))
assert not [name for name in opened if {newer!r} in name and name.endswith(".o")]
print(",".join(f"{{v:.4f}}" for v in y[0]))
"""


@pytest.mark.skipif(not fits(ISAS[0]), reason="this processor has no AVX-512 to take away")
def test_an_image_moved_to_an_older_processor() -> None:
    answers = [
        run_python(OLDER.format(missing=missing, isa=isa, newer=newer)).stdout
        for missing, isa, newer in (
            ("amx", "x86-64-v4", "x86-64-v3-"),
            ("avx512", "x86-64-v3", "x86-64-v4-"),
        )
    ]
    assert answers[0] == answers[1]


@pytest.mark.skipif(not fits(ISAS[0]), reason="this processor has no AVX-512 to take away")
def test_a_class_that_an_older_processor_lacks_is_no_illegal_instruction() -> None:
    code = OLDER.replace("assert this_machine().isa.name == {isa!r}, this_machine()", "").format(
        missing="avx512", newer=".o-of-no-class", isa=""
    )
    done = run_python(code, {"ENGINE_ISA": "x86-64-v4"})
    assert "computing with NumPy, slowly: ENGINE_ISA: expected one of" in done.stderr


@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is not installed")
@pytest.mark.parametrize(
    "kernels",
    [("gemm", "tile", "softmax", "run"), pytest.param(all_kernels(), marks=pytest.mark.slow)],
    ids=["few", "all"],
)
@pytest.mark.parametrize("isa", [isa for isa in ISAS[1:3] if fits(isa)], ids=lambda isa: isa.name)
def test_code_of_a_class_has_no_registers_of_a_higher_one(isa: Isa, kernels: tuple[str, ...], tmp_path: Path) -> None:
    native.addresses(kernels, isa)
    folder = store.folder(isa.name)
    assert folder is not None
    beyond = ("%zmm", "%k1", "%ymm") if isa.lanes < 8 else ("%zmm", "%k1")
    for name in kernels:
        code = store.load(folder, name)
        assert code is not None
        (tmp_path / "kernel.o").write_bytes(code)
        listing = subprocess.run(
            ["objdump", "-d", str(tmp_path / "kernel.o")], capture_output=True, text=True, check=True
        )
        assert "ret" in listing.stdout
        assert not [register for register in beyond if register in listing.stdout], name
