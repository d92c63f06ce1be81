"""HDF5 files that lie or point elsewhere: refused before anything is followed or much is allocated."""

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py import h5o

from engine.errors import EngineError, LimitExceededError, ModelFileError
from engine.frontend import open_model
from engine.frontend.object_header import read_texts
from tests.frontend.handmade import dense_model, dense_weights, layer, sequential, write, write_dense

KERNEL = "model_weights/d/d/kernel:0"
SHAPE = (4, 3)


def edited(tmp_path: Path, edit: Callable[[h5py.File], object]) -> Path:
    """The dense model after `edit` has worked on its open file."""
    path = write_dense(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        edit(file)
    return path


def replaced(tmp_path: Path, make: Callable[[h5py.Group, str], object]) -> Path:
    """The dense model with its kernel made anew by `make(group, name)`."""

    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        make(file["model_weights/d/d"], "kernel:0")

    return edited(tmp_path, edit)


def refused(path: Path, message: str, error: type[EngineError] = ModelFileError) -> None:
    with pytest.raises(error, match=message) as caught:
        open_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def read_kernel(path: Path) -> np.ndarray:
    with open_model(path) as network:
        return network.layers[0].weights[0].read()


def outside(tmp_path: Path) -> Path:
    """Another file with a data set that would fit."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["kernel"] = np.ones(SHAPE, np.float32)
    return tmp_path / "other.h5"


def test_soft_link_as_weight(tmp_path: Path) -> None:
    def make(group: h5py.Group, name: str) -> None:
        group["real"] = np.ones(SHAPE, np.float32)
        group[name] = h5py.SoftLink("/model_weights/d/d/real")

    refused(replaced(tmp_path, make), "is a link")


def test_soft_link_on_the_way(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file.move("model_weights/d", "elsewhere")
        file["model_weights/d"] = h5py.SoftLink("/elsewhere")

    refused(edited(tmp_path, edit), "is a link")


def test_external_link_as_weight(tmp_path: Path) -> None:
    other = outside(tmp_path)
    refused(replaced(tmp_path, lambda g, n: g.__setitem__(n, h5py.ExternalLink(str(other), "/kernel"))), "is a link")


def test_external_link_as_all_weights(tmp_path: Path) -> None:
    other = write_dense(tmp_path / "other.h5")

    def edit(file: h5py.File) -> None:
        del file["model_weights"]
        file["model_weights"] = h5py.ExternalLink(str(other), "/model_weights")

    refused(edited(tmp_path, edit), "is a link")


def test_external_storage(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(48))
    path = replaced(
        tmp_path, lambda g, n: g.create_dataset(n, SHAPE, np.float32, external=[(str(tmp_path / "raw"), 0, 48)])
    )
    refused(path, "another file")


def virtual(source: str) -> Callable[[h5py.Group, str], object]:
    layout = h5py.VirtualLayout(SHAPE, np.float32)
    layout[:] = h5py.VirtualSource(source, "kernel", SHAPE)
    return lambda group, name: group.create_virtual_dataset(name, layout)


def test_virtual_data_set(tmp_path: Path) -> None:
    refused(replaced(tmp_path, virtual(str(outside(tmp_path)))), "another file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
def test_what_a_file_points_to_is_never_opened(kind: str, tmp_path: Path) -> None:
    """Opening a FIFO that nobody writes to would wait for ever."""
    fifo = str(tmp_path / "fifo")
    make = {
        "link": lambda g, n: g.__setitem__(n, h5py.ExternalLink(fifo, "/kernel")),
        "storage": lambda g, n: g.create_dataset(n, SHAPE, np.float32, external=[(fifo, 0, 48)]),
        "virtual": virtual(fifo),
    }
    path = replaced(tmp_path, make[kind])
    os.mkfifo(fifo)
    code = "import sys; from engine.frontend import open_model; open_model(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60, check=False)
    assert "ModelFileError" in done.stderr.splitlines()[-1]


def test_group_in_place_of_a_data_set(tmp_path: Path) -> None:
    refused(replaced(tmp_path, lambda g, n: g.create_group(n)), "missing")


def test_data_set_in_place_of_a_group(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        del file["model_weights/d"]
        file["model_weights/d"] = np.ones(3)

    refused(edited(tmp_path, edit), "must be a group")


def test_group_that_holds_itself(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["model_weights/d/again"] = file["model_weights"]
        file["model_weights/d"].attrs["weight_names"] = [b"again/d/again/d/d/kernel:0", b"d/bias:0"]

    path = edited(tmp_path, edit)
    np.testing.assert_array_equal(read_kernel(path), dense_weights()["d"][0][1])


@pytest.mark.parametrize("name", [".", "./d/kernel:0", "../d/kernel:0", "", "/", "x" * 5000, "d/kernel:0/more"])
def test_odd_paths(name: str, tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["model_weights/d"].attrs["weight_names"] = [name.encode(), b"d/bias:0"]

    with pytest.raises(ModelFileError):
        open_model(edited(tmp_path, edit))


@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
def test_floats_of_every_kind_are_converted_exactly(dtype: str, tmp_path: Path) -> None:
    expected = np.linspace(-3, 3, 12).reshape(SHAPE).astype(dtype)
    found = read_kernel(replaced(tmp_path, lambda g, n: g.create_dataset(n, data=expected)))
    assert found.dtype == (np.float64 if dtype.endswith("8") else np.float32)
    np.testing.assert_array_equal(found, expected.astype(np.float64))


def test_bfloat16(tmp_path: Path) -> None:
    expected = np.array([1.0, -2.5, 3.140625, 65536.0] * 3, np.float32).reshape(SHAPE)
    halves = (expected.view(np.uint32) >> 16).astype(np.uint16).view("V2")

    def make(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, data=halves).attrs["dtype"] = "bfloat16"

    np.testing.assert_array_equal(read_kernel(replaced(tmp_path, make)), expected)
    refused(replaced(tmp_path, lambda g, n: g.create_dataset(n, data=halves)), "floating-point")


ODD = {
    "int8": np.ones(SHAPE, np.int8),
    "int64": np.ones(SHAPE, np.int64),
    "bool": np.ones(SHAPE, bool),
    "complex": np.ones(SHAPE, np.complex64),
    "compound": np.ones(SHAPE, [("a", np.float32)]),
    "text": np.full(SHAPE, b"1.0"),
    "array": np.ones(SHAPE, [("a", np.float32, (2,))]),
}


@pytest.mark.parametrize("name", ODD)
def test_other_kinds_of_numbers_are_refused(name: str, tmp_path: Path) -> None:
    refused(replaced(tmp_path, lambda g, n: g.create_dataset(n, data=ODD[name])), "floating")


def test_variable_length_and_references_are_refused(tmp_path: Path) -> None:
    for dtype in (h5py.vlen_dtype(np.float32), h5py.ref_dtype, h5py.string_dtype()):
        refused(replaced(tmp_path, lambda g, n, d=dtype: g.create_dataset(n, SHAPE, d)), "kernel:0")


def test_empty_data_space(tmp_path: Path) -> None:
    refused(replaced(tmp_path, lambda g, n: g.create_dataset(n, data=h5py.Empty(np.float32))), "holds nothing")


def test_data_set_that_was_never_written(tmp_path: Path) -> None:
    refused(replaced(tmp_path, lambda g, n: g.create_dataset(n, SHAPE, np.float32)), "declares 48", LimitExceededError)


@pytest.mark.parametrize("shape", [(1 << 20, 1 << 20), (1 << 30, 1 << 29), (1 << 60,)], ids=str)
def test_sparse_giants(shape: tuple[int, ...], tmp_path: Path) -> None:
    for options in ({}, {"chunks": (1,) * len(shape)}, {"chunks": (1,) * len(shape), "compression": "gzip"}):
        path = replaced(tmp_path, lambda g, n, o=options: g.create_dataset(n, shape, np.float32, **o))
        refused(path, r"declares|unpacks|cannot be read", (LimitExceededError, ModelFileError))


@pytest.mark.parametrize(
    "options", [{"compression": "gzip"}, {"compression": "gzip", "shuffle": True}, {"fletcher32": True}, {}]
)
def test_packed_data_is_read(options: dict, tmp_path: Path) -> None:
    expected = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    path = replaced(tmp_path, lambda g, n: g.create_dataset(n, data=expected, chunks=(2, 3), **options))
    np.testing.assert_array_equal(read_kernel(path), expected)


@pytest.mark.parametrize("options", [{"compression": "lzf"}, {"scaleoffset": 3}], ids=str)
def test_other_filters_are_refused(options: dict, tmp_path: Path) -> None:
    data = np.ones(SHAPE, np.float32)
    refused(replaced(tmp_path, lambda g, n: g.create_dataset(n, data=data, **options)), "filter")


def test_bomb_in_gzip(tmp_path: Path) -> None:
    zeros = np.zeros((1024, 1024), np.float32)
    path = write(tmp_path / "m.h5", sequential(layer("Dense", "d", units=1024), shape=(None, 1024)), {"d": []})
    with h5py.File(path, "a") as file:
        file["model_weights/d"].attrs["weight_names"] = [b"k", b"b"]
        file["model_weights/d"].create_dataset("k", data=zeros, compression="gzip", compression_opts=9)
        file["model_weights/d"]["b"] = np.zeros(1024, np.float32)
    refused(path, "at most 32", LimitExceededError)


def test_chunk_larger_than_the_data(tmp_path: Path) -> None:
    def make(group: h5py.Group, name: str) -> None:
        group.create_dataset(
            name, data=np.ones(SHAPE, np.float32), maxshape=(None, None), chunks=(4096, 4096), compression="gzip"
        )

    refused(replaced(tmp_path, make), "unpacks", LimitExceededError)


def test_one_data_set_counted_many_times(tmp_path: Path) -> None:
    big = np.zeros((64, 64), np.float32)
    layers = [layer("Dense", f"d{i}", units=64, use_bias=False) for i in range(10)]
    path = write(tmp_path / "m.h5", sequential(*layers, shape=(None, 64)), {f"d{i}": [] for i in range(10)})
    with h5py.File(path, "a") as file:
        file["big"] = big
        for i in range(10):
            file[f"model_weights/d{i}/k"] = file["big"]
            file[f"model_weights/d{i}"].attrs["weight_names"] = [b"k"]
    refused(path, "declare more bytes", LimitExceededError)


def test_names_as_text_and_as_bytes(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["model_weights"].attrs["layer_names"] = ["d"]
        file["model_weights/d"].attrs["weight_names"] = ["d/kernel:0", "d/bias:0"]
        file.attrs["model_config"] = (
            file.attrs["model_config"].decode()
            if hasattr(file.attrs["model_config"], "decode")
            else file.attrs["model_config"]
        )
        file.attrs["keras_version"] = "2.4.0"

    np.testing.assert_array_equal(read_kernel(edited(tmp_path, edit)), dense_weights()["d"][0][1])


def test_names_in_several_attributes(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        group = file["model_weights/d"]
        del group.attrs["weight_names"]
        group.attrs["weight_names0"] = [b"d/kernel:0"]
        group.attrs["weight_names1"] = [b"d/bias:0"]
        del file["model_weights"].attrs["layer_names"]
        file["model_weights"].attrs["layer_names0"] = [b"d"]

    np.testing.assert_array_equal(read_kernel(edited(tmp_path, edit)), dense_weights()["d"][0][1])


@pytest.mark.parametrize("where", ["model_weights", "model_weights/d"])
def test_missing_names(where: str, tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        for name in list(file[where].attrs):
            if name.endswith("_names"):
                del file[where].attrs[name]

    refused(edited(tmp_path, edit), "_names' is missing")


@pytest.mark.parametrize("value", [3, [1.5], np.zeros(3), h5py.Empty("f4"), b"\xff\xfe"], ids=str)
def test_attributes_of_another_kind(value: object, tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["model_weights"].attrs["layer_names"] = value

    with pytest.raises(ModelFileError):
        open_model(edited(tmp_path, edit))


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_texts_in_both_kinds_of_object_headers(libver: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", dense_model(), dense_weights(), libver=libver)
    with h5py.File(path, "a", libver=libver) as file:
        file["model_weights"].attrs["words"] = ["", "one", "three"]
        config, version = file.attrs["model_config"], file.attrs["keras_version"]
        root, group = (h5o.get_info(file[name].id).addr for name in ("/", "model_weights"))
    content = path.read_bytes()

    def read_at(address: int, count: int) -> bytes:
        return content[address : address + count]

    assert read_texts(read_at, root, b"model_config", 1) == [config.encode()]
    assert read_texts(read_at, root, b"keras_version", 1) == [version.encode()]
    assert read_texts(read_at, group, b"words", 3) == [b"", b"one", b"three"]


@pytest.mark.parametrize("options", [{}, {"userblock_size": 512}], ids=str)
@pytest.mark.parametrize("claim", [1 << 27, 0xFFFFFFFF])
def test_text_that_claims_to_be_longer_than_the_file(options: dict, claim: int, tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", dense_model(), dense_weights(), **options)
    with h5py.File(path) as file:
        length = struct.pack("<I", len(file.attrs["model_config"]))
    content = path.read_bytes()
    at = [m.start() for m in re.finditer(re.escape(length) + rb".{8}\x01\0\0\0", content, re.DOTALL)]
    assert len(at) == 1
    path.write_bytes(content[: at[0]] + struct.pack("<I", claim) + content[at[0] + 4 :])
    refused(path, "'model_config' may hold more", LimitExceededError)


def test_text_in_a_header_of_many_blocks(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        config = file.attrs["model_config"]
        del file.attrs["model_config"]
        for i in range(40):
            file.attrs[f"note{i}"] = "x" * 500
        file.attrs["model_config"] = config

    np.testing.assert_array_equal(read_kernel(edited(tmp_path, edit)), dense_weights()["d"][0][1])


def test_text_outside_the_object_header(tmp_path: Path) -> None:
    """With the newest format, more than eight attributes move to a heap of their own."""
    path = write(tmp_path / "m.h5", dense_model(), dense_weights(), libver="latest")
    with h5py.File(path, "a", libver="latest") as file:
        for i in range(20):
            file.attrs[f"note{i}"] = "x"
    refused(path, "stored in a way that is not read")


def test_weights_only_and_foreign_files(tmp_path: Path) -> None:
    def weights_only(file: h5py.File) -> None:
        for name, value in file["model_weights"].attrs.items():
            file.attrs[name] = value
        file.move("model_weights/d", "d")
        del file["model_weights"], file.attrs["model_config"]

    refused(edited(tmp_path, weights_only), "weights only")
    with h5py.File(tmp_path / "v3.h5", "w") as file:
        file["layers/dense/vars/0"] = np.ones(3)
    refused(tmp_path / "v3.h5", r"\.weights\.h5")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = np.ones(3)
    refused(tmp_path / "data.h5", "no Keras model")
    with h5py.File(tmp_path / "config.h5", "w") as file:
        file.attrs["model_config"] = "{}"
    refused(tmp_path / "config.h5", "'model_weights' is missing")


@pytest.mark.parametrize("version", ["0.3.3", "4.0.0", "x"])
def test_unknown_versions_are_named(version: str | None, tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", dense_model(), dense_weights(), version=version)
    refused(path, "was written by Keras", EngineError)
