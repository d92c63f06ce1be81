"""Every known way in which a model file attacks meets its error: soon, in little memory."""

import re
import sys

import pytest

from tests.fuzz.hostile import ATTACKS, build_all
from tests.fuzz.runner import Record, attempts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are measured as Linux counts them")
MEMORY = 64 << 20
SECONDS = 2.0


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    """What became of each attack, in a process of its own; and of a harmless file before them, under ""."""
    folder = tmp_path_factory.mktemp("attacks")
    names = build_all(folder)
    return dict(zip(names, attempts(str(folder), 0, len(names)), strict=True))


def test_every_attack_meets_its_error(records: dict[str, Record]) -> None:
    wrong = []
    for name, attack in ATTACKS.items():
        found = records[name]
        if found.problem or found.outcome != attack.error.__name__ or not re.search(attack.message, found.message):
            wrong.append(f"{name}: {found.outcome}: {found.problem or found.message}")
    assert not wrong, "\n".join(wrong)


def test_no_attack_takes_much_memory(records: dict[str, Record]) -> None:
    assert records[""].outcome == "accepted"
    grown = {name: record.grown for name, record in records.items() if name}
    assert sum(grown.values()) < MEMORY, {name: size >> 20 for name, size in grown.items() if size > 1 << 20}


def test_no_attack_takes_long(records: dict[str, Record]) -> None:
    slow = {name: record.seconds for name, record in records.items() if name and record.seconds > SECONDS}
    assert not slow


def test_the_table_is_whole(records: dict[str, Record]) -> None:
    assert len(ATTACKS) > 70
    assert len(records) == len(ATTACKS) + 1
