"""The workflow of the public CI covers what the package says it runs on."""

import re
import shlex
import tomllib
from typing import Any

import pytest

from tests.processes import ROOT

yaml = pytest.importorskip("yaml")


@pytest.fixture(scope="module")
def jobs() -> Any:
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]


def test_systems_and_versions(jobs: Any) -> None:
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["system"]] == ["ubuntu", "ubuntu", "macos", "windows"]
    assert sum(name.endswith("-arm") for name in matrix["system"]) == 1
    assert matrix["python"] == [f"3.{minor}" for minor in range(11, 15)]
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert required == f">={matrix['python'][0]}"


def test_every_step_names_what_is_there(jobs: Any) -> None:
    steps = [step for job in jobs.values() for step in job["steps"]]
    for words in (shlex.split(step["run"]) for step in steps if "run" in step):
        assert words[0] in ("pip", "infer", "pytest", ".ci/run"), words
        for word in words:
            if re.search(r"[a-z]/", word):
                assert (ROOT / word).exists(), word
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
