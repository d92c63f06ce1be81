"""Files cut short, changed while they are read, or no files at all: one error, and never a part of the weights."""

import os
from pathlib import Path

import pytest

import engine
from engine.errors import EngineError, LimitExceededError, ModelFileError
from engine.frontend import open_model
from tests.frontend.handmade import write_dense
from tests.golden import GOLDEN

WHOLE = (
    "k2/sequential_seed_cnn.h5",
    "k3/lstm_states.h5",
    "k3/separable_conv2d_valid.h5",
    "other/k3/separable_conv2d_valid.keras",
    "other/k2/rnn_cells.keras",
)
ARCHITECTURES = {"other/k3/sequential_seed_cnn.weights.h5": "k3/sequential_seed_cnn.h5"}


def read_whole(content: bytes, arch: Path | None) -> None:
    """Read every weight, as loading does."""
    with open_model(content, arch) as network:
        for weight in network.graph.weights():
            assert weight.read().shape == weight.shape


@pytest.mark.parametrize("name", [*WHOLE, *ARCHITECTURES])
def test_a_file_cut_at_any_fiftieth_is_refused(name: str) -> None:
    content = (GOLDEN / name).read_bytes()
    arch = GOLDEN / ARCHITECTURES[name] if name in ARCHITECTURES else None
    read_whole(content, arch)
    for part in range(50):
        with pytest.raises((ModelFileError, LimitExceededError)) as caught:
            read_whole(content[: len(content) * part // 50], arch)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="devices and FIFOs are POSIX's")
@pytest.mark.parametrize("sandbox", [False, True])
def test_what_is_no_regular_file_is_refused_at_once(sandbox: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.h5")
    (tmp_path / "zero.h5").symlink_to("/dev/zero")
    (tmp_path / "loop.h5").symlink_to(tmp_path / "loop.h5")
    (tmp_path / "folder.h5").mkdir()
    for name in ("fifo.h5", "zero.h5", "loop.h5", "folder.h5", "absent.h5"):
        with pytest.raises(ModelFileError, match=name):
            engine.load_model(tmp_path / name, sandbox=sandbox)


@pytest.mark.parametrize("how", ["longer", "shorter", "touched"])
def test_a_file_that_changes_while_it_is_read_is_refused(how: str, tmp_path: Path) -> None:
    path = write_dense(tmp_path / "m.h5")
    size = path.stat().st_size
    with open_model(path) as network:
        if how == "touched":
            os.utime(path, ns=(1, 1))
        else:
            os.truncate(path, size + 1 if how == "longer" else size // 2)
        with pytest.raises(EngineError, match=r"m\.h5"):
            network.layers[0].weights[0].read()


def test_a_file_that_is_replaced_while_it_is_read_stays_the_old_one(tmp_path: Path) -> None:
    path = write_dense(tmp_path / "m.h5")
    with open_model(path) as network:
        expected = network.layers[0].weights[0].read()
        (tmp_path / "new.h5").write_bytes(b"another file")
        os.replace(tmp_path / "new.h5", path)
        assert (network.layers[0].weights[0].read() == expected).all()
