"""What is not a readable model file is named for what it is, in one line with the file's name."""

import gzip
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EngineError, LimitExceededError, ModelFileError
from engine.frontend import open_model
from tests.frontend.handmade import dense_model, dense_weights, write, write_dense


def refused(path: Path, message: str, error: type[EngineError] = ModelFileError) -> None:
    with pytest.raises(error, match=message) as caught:
        open_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


CONTENT = {
    "empty": (b"", "is empty"),
    "one_byte": (b"x", "is a text file"),
    "binary": (bytes(range(256)) * 20, "neither HDF5 nor"),
    "text": ("weights of my model, naïve\n".encode() * 5000, "is a text file"),
    "html": (b"\n<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git-LFS pointer"),
    "json": (b'{"class_name": "Sequential", "config": []}', "holds no weights"),
    "gzip": (gzip.compress(b"\x89HDF\r\n\x1a\n"), "gzip"),
    "zip": (b"PK\x03\x04" + bytes(100), "has no end"),
    "pickle": (pickle.dumps([1, 2, 3]), "pickle"),
    "tflite": (b"\x1c\x00\x00\x00TFL3" + bytes(100), "TensorFlow Lite"),
    "onnx": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0" + bytes(100), "ONNX"),
    "magic_only": (b"\x89HDF\r\n\x1a\n", "ends before"),
    "magic_and_noise": (b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 20, "cannot be read as HDF5"),
}


@pytest.mark.parametrize("name", CONTENT)
def test_content_decides_what_a_file_is(name: str, tmp_path: Path) -> None:
    content, message = CONTENT[name]
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    refused(path, message)


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "absent.h5", "no such file")


def test_folders(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder")
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    refused(tmp_path, "SavedModel")


def test_symbolic_link_loop(tmp_path: Path) -> None:
    (tmp_path / "a.h5").symlink_to(tmp_path / "a.h5")
    refused(tmp_path / "a.h5", "cannot be opened")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    refused(tmp_path / "pipe.h5", "not a regular file")


def test_null_byte_and_newline_in_the_name(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be opened"):
        open_model(f"{tmp_path}/a\0b.h5")
    with pytest.raises(ModelFileError, match=r"a\\nb\.h5"):
        open_model(tmp_path / "a\nb.h5")


@pytest.mark.parametrize("name", ["MODEL.H5", "model", "model.keras", "mödel.h5"])
def test_name_does_not_matter(name: str, tmp_path: Path) -> None:
    open_model(write_dense(tmp_path / name)).close()
    open_model(str(write_dense(tmp_path / name))).close()


@pytest.mark.parametrize("options", [{"libver": "latest"}, {"libver": "earliest"}, {"userblock_size": 1024}], ids=str)
def test_every_kind_of_superblock(options: dict, tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", dense_model(), dense_weights(), **options)
    with open_model(path) as network:
        np.testing.assert_array_equal(network.layers[0].weights[0].read(), dense_weights()["d"][0][1])


def test_truncated_anywhere(tmp_path: Path) -> None:
    whole = write_dense(tmp_path / "whole.h5").read_bytes()
    path = tmp_path / "cut.h5"
    for part in range(50):
        path.write_bytes(whole[: len(whole) * part // 50])
        with pytest.raises((ModelFileError, LimitExceededError)) as caught:
            open_model(path)
        assert str(path) in str(caught.value)


def read_all(path: Path) -> str | None:
    """Open a file and read its weights; the message of the engine's error, if it raised one."""
    try:
        with open_model(path) as network:
            for weight in network.graph.weights():
                weight.read()
    except EngineError as error:
        return str(error)
    return None


def test_any_damaged_byte_is_a_clean_error_or_none(tmp_path: Path) -> None:
    whole = write_dense(tmp_path / "whole.h5").read_bytes()
    path = tmp_path / "damaged.h5"
    rng = np.random.default_rng(5)
    for at in rng.choice(len(whole), 150, replace=False):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        message = read_all(path)
        assert message is None or str(path) in message


def test_file_that_grows_or_shrinks_while_open(tmp_path: Path) -> None:
    path = write_dense(tmp_path / "m.h5")
    whole = path.read_bytes()
    with open_model(path) as network:
        with path.open("ab") as file:
            file.write(b"more")
        with pytest.raises(ModelFileError, match="changed"):
            network.layers[0].weights[0].read()
    path.write_bytes(whole)
    with open_model(path) as network:
        os.truncate(path, len(whole) // 2)
        kernel, bias = network.layers[0].weights
        with pytest.raises(ModelFileError, match=r"m\.h5"):
            kernel.read()
        with pytest.raises(ModelFileError, match=r"m\.h5"):
            bias.read()


def test_reading_after_close(tmp_path: Path) -> None:
    with open_model(write_dense(tmp_path / "m.h5")) as network:
        weight = network.layers[0].weights[0]
        assert weight.read().shape == (4, 3)
    network.close()
    with pytest.raises(ModelFileError, match="closed"):
        weight.read()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors are counted in /proc")
def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    good, bad = write_dense(tmp_path / "m.h5"), tmp_path / "bad.h5"
    bad.write_bytes(good.read_bytes()[:3000])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        open_model(good).close()
        with pytest.raises(ModelFileError):
            open_model(bad)
    assert len(os.listdir("/proc/self/fd")) == before


def test_weights_can_be_read_from_many_threads(tmp_path: Path) -> None:
    weights = dense_weights()
    with open_model(write(tmp_path / "m.h5", dense_model(), weights)) as network:
        wrong: list[int] = []

        def read() -> None:
            for _ in range(50):
                for weight, (_, expected) in zip(network.layers[0].weights, weights["d"], strict=True):
                    if not np.array_equal(weight.read(), expected):
                        wrong.append(1)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_importing_the_package_imports_neither_h5py_nor_numba() -> None:
    code = "import sys, engine.frontend; print(sorted({'h5py', 'numba'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_nothing_but_the_model_is_opened_or_imported(tmp_path: Path) -> None:
    code = """
import sys
from engine.frontend import open_model
from engine.errors import UnsupportedLayerError
for w in open_model(sys.argv[1]).graph.weights(): w.read()
seen, modules = [], set(sys.modules)
def note(event, args):
    if event in ("import", "exec", "compile") or event == "open" and not isinstance(args[0], int):
        seen.append(args[0])
sys.addaudithook(note)
with open_model(sys.argv[1]) as network:
    for w in network.graph.weights(): w.read()
try:
    open_model(sys.argv[2])
except UnsupportedLayerError as error:
    print("refused", "never run" in str(error))
print(seen == sys.argv[1:] or seen, set(sys.modules) == modules)
"""
    evil = {
        "class_name": "Lambda",
        "module": "os",
        "registered_name": "os>system",
        "config": {"name": "l", "batch_input_shape": [None, 4], "function": ["4wEAAAA=", None, None]},
    }
    lambda_model = {"class_name": "Sequential", "config": {"name": "net", "layers": [evil]}}
    paths = [write_dense(tmp_path / "m.h5"), write(tmp_path / "lambda.h5", lambda_model)]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert done.stdout == "refused True\nTrue True\n"
