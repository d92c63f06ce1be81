"""How many processors a process may use: affinity, quotas of containers and groups, and what a forked child finds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runtime import processors
from tests.processes import run_python


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    processors.available_threads.cache_clear()
    yield
    processors.available_threads.cache_clear()


def cgroup(monkeypatch: pytest.MonkeyPatch, root: Path, files: dict[str, str]) -> None:
    """A machine of 64 processors with these files below /sys/fs/cgroup, and `groups` as /proc/self/cgroup."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(processors, "_ROOT", root)
    monkeypatch.setattr(processors, "_GROUPS", root / "groups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "1000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "6500000 100000\n"}, 64),
        ({"cpu.max": "nonsense\n"}, 64),
        ({"cpu.max": "100000 0\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ({"groups": "0::/web/app\n", "web/app/cpu.max": "300000 100000\n"}, 3),
        ({"groups": "0::/web/app\n", "web/app/cpu.max": "max 100000\n", "web/cpu.max": "400000 100000\n"}, 4),
        ({"groups": "0::/../../web\n", "cpu.max": "500000 100000\n"}, 5),
        (
            {
                "groups": "3:memory:/m\n2:cpu,cpuacct:/job\n",
                "cpu/job/cpu.cfs_quota_us": "600000\n",
                "cpu/job/cpu.cfs_period_us": "100000\n",
            },
            6,
        ),
        ({"groups": "0::/gone\n1:name=a:b:/c\nnonsense\n"}, 64),
    ],
    ids=str,
)
def test_quota_of_the_container(
    files: dict[str, str], expected: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cgroup(monkeypatch, tmp_path, files)
    assert processors.available_threads() == expected


def test_affinity_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cgroup(monkeypatch, tmp_path, {"cpu.max": "800000 100000"})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    assert processors.available_threads() == 2
    processors.available_threads.cache_clear()
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors.available_threads() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_forked_worker_follows_its_own_affinity() -> None:
    run_python(
        """
        import os
        import engine
        from engine.runtime import processors
        os.sched_getaffinity = lambda _: {0, 1, 2, 3}
        processors._quotas = lambda: []
        assert engine.num_threads() == 4
        pid = os.fork()
        if pid == 0:
            os.sched_getaffinity = lambda _: {2}
            os._exit(engine.num_threads())
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
        assert engine.num_threads() == 4
        engine.set_num_threads(3)
        pid = os.fork()
        if pid == 0:
            os.sched_getaffinity = lambda _: {2}
            os._exit(engine.num_threads())
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
        """
    )
