"""HDF5 files that attack: links out of the file, sizes that are not there, filters, types and texts that lie."""

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5s, h5t

from engine.errors import LimitExceededError, ModelFileError
from tests.frontend.handmade import dense_model, dense_weights, layer, sequential, write, write_dense
from tests.fuzz.hostile import attack

SHAPE = (4, 3)
KERNEL = "model_weights/d/d/kernel:0"
GIB = 1 << 30


def kernel(path: Path, make: Callable[[h5py.Group, str], object], **options: Any) -> None:
    """The dense model, its kernel made anew by `make(group, name)`."""
    write(path, dense_model(), dense_weights(), **options)
    with h5py.File(path, "a", **options) as file:
        del file[KERNEL]
        make(file["model_weights/d/d"], "kernel:0")


def square(path: Path, size: int, **options: Any) -> None:
    """A dense layer of size × size whose kernel was never written."""
    write(path, sequential(layer("Dense", "d", units=size, use_bias=False), shape=(None, size)), {"d": []})
    with h5py.File(path, "a") as file:
        file["model_weights/d"].attrs["weight_names"] = [b"k"]
        file["model_weights/d"].create_dataset("k", (size, size), np.float32, **options)


def patched(path: Path, old: bytes, new: bytes, count: int = 1) -> None:
    """Replace bytes that occur `count` times."""
    content = path.read_bytes()
    assert content.count(old) == count, content.count(old)
    path.write_bytes(content.replace(old, new))


@attack(ModelFileError, "is a link")
def soft_link(path: Path) -> None:
    kernel(path, lambda group, name: group.__setitem__(name, h5py.SoftLink("/model_weights/d/d/bias:0")))


@attack(ModelFileError, "is a link")
def soft_link_in_place_of_a_group(path: Path) -> None:
    write_dense(path)
    with h5py.File(path, "a") as file:
        file.move("model_weights/d", "elsewhere")
        file["model_weights/d"] = h5py.SoftLink("/elsewhere")


@attack(ModelFileError, "is a link")
def external_link(path: Path) -> None:
    kernel(path, lambda group, name: group.__setitem__(name, h5py.ExternalLink("/etc/passwd", "/x")))


@attack(ModelFileError, "is a link")
def external_link_to_a_device(path: Path) -> None:
    kernel(path, lambda group, name: group.__setitem__(name, h5py.ExternalLink("/dev/zero", "/x")))


@attack(ModelFileError, "is a link|cannot be read")
def link_of_a_kind_that_a_user_defines(path: Path) -> None:
    kernel(path, lambda group, name: group.__setitem__(name, h5py.ExternalLink("nowhere.h5", "/x")), libver="latest")
    content = bytearray(path.read_bytes())
    name = content.rindex(b"kernel:0", 0, content.index(b"nowhere.h5"))
    kind = content.rindex(b"\x40", name - 16, name)
    content[kind] = 200
    path.write_bytes(content)


@attack(ModelFileError, "another file")
def external_storage(path: Path) -> None:
    kernel(path, lambda g, n: g.create_dataset(n, SHAPE, np.float32, external=[("/etc/passwd", 0, 48)]))


@attack(ModelFileError, "another file")
def virtual_data_set(path: Path) -> None:
    layout = h5py.VirtualLayout(SHAPE, np.float32)
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", SHAPE)
    kernel(path, lambda group, name: group.create_virtual_dataset(name, layout))


@attack(LimitExceededError, "declares")
def kernel_of_8192_by_8192_never_written(path: Path) -> None:
    square(path, 8192)


@attack(LimitExceededError, "unpacks")
def kernel_of_8192_by_8192_in_no_chunks(path: Path) -> None:
    square(path, 8192, chunks=(64, 64))


@attack(LimitExceededError, "unpacks")
def kernel_of_8192_by_8192_in_no_packed_chunks(path: Path) -> None:
    square(path, 8192, chunks=(64, 64), compression="gzip")


@attack(LimitExceededError, "declares")
def almost_four_gib(path: Path) -> None:
    write(path, sequential(layer("Dense", "d", units=1, use_bias=False), shape=(None, GIB - 1)), {"d": []})
    with h5py.File(path, "a") as file:
        file["model_weights/d"].attrs["weight_names"] = [b"k"]
        file["model_weights/d"].create_dataset("k", (GIB - 1, 1), np.float32)


@attack(LimitExceededError, "declares")
def a_thousand_times_a_gib(path: Path) -> None:
    units = 1 << 14
    layers = [layer("Dense", f"d{i}", units=units, use_bias=False) for i in range(1000)]
    write(path, sequential(*layers, shape=(None, units)), {f"d{i}": [] for i in range(1000)})
    with h5py.File(path, "a") as file:
        for i in range(1000):
            group = file[f"model_weights/d{i}"]
            group.attrs["weight_names"] = [b"k"]
            group.create_dataset("k", (units, units), np.float32)


def _address(path: Path, name: str) -> int:
    with h5py.File(path) as file:
        offset = file[name].id.get_offset()
    assert offset is not None
    return int(offset)


@attack(LimitExceededError, "declare more bytes")
def one_megabyte_for_twenty_layers(path: Path) -> None:
    layers = [layer("Dense", f"d{i}", units=512, use_bias=False) for i in range(20)]
    tiny = {f"d{i}": [("k", np.zeros((512, 512), np.float32))] if not i else [] for i in range(20)}
    write(path, sequential(*layers, shape=(None, 512)), tiny)
    with h5py.File(path, "a") as file:
        for i in range(1, 20):
            file[f"model_weights/d{i}/k"] = file["model_weights/d0/k"]
            file[f"model_weights/d{i}"].attrs["weight_names"] = [b"k"]


@attack(LimitExceededError, "overlap")
def data_sets_that_overlap(path: Path) -> None:
    write_dense(path)
    place = _address(path, KERNEL)
    patched(path, struct.pack("<QQ", _address(path, "model_weights/d/d/bias:0"), 12), struct.pack("<QQ", place + 8, 12))


@attack(ModelFileError, "cannot be read|ends before")
def data_behind_the_end(path: Path) -> None:
    write_dense(path)
    patched(path, struct.pack("<QQ", _address(path, KERNEL), 48), struct.pack("<QQ", 1 << 40, 48))


@attack(LimitExceededError, "unpacks")
def zeros_packed_a_thousandfold(path: Path) -> None:
    write(path, sequential(layer("Dense", "d", units=2048, use_bias=False), shape=(None, 2048)), {"d": []})
    with h5py.File(path, "a") as file:
        file["model_weights/d"].attrs["weight_names"] = [b"k"]
        zeros = np.zeros((2048, 2048), np.float32)
        file["model_weights/d"].create_dataset("k", data=zeros, compression="gzip", compression_opts=9)


@attack(LimitExceededError, "unpacks")
def a_chunk_far_larger_than_its_data(path: Path) -> None:
    options: dict[str, Any] = {"maxshape": (None, None), "chunks": (8192, 4096), "compression": "gzip"}
    kernel(path, lambda g, n: g.create_dataset(n, data=np.ones(SHAPE, np.float32), **options))


@attack(ModelFileError, "filter 32015")
def a_filter_that_a_plugin_would_bring(path: Path) -> None:
    def make(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, SHAPE, np.float32, chunks=SHAPE, compression=32015, allow_unknown_filter=True)

    kernel(path, make)


@attack(ModelFileError, "filter 32000")
def packed_with_lzf(path: Path) -> None:
    kernel(path, lambda g, n: g.create_dataset(n, data=np.ones(SHAPE, np.float32), compression="lzf"))


@attack(ModelFileError, "filter 6")
def packed_with_scale_and_offset(path: Path) -> None:
    kernel(path, lambda g, n: g.create_dataset(n, data=np.ones(SHAPE, np.float32), scaleoffset=3))


def _odd(name: str, dtype: Any) -> None:
    def build(path: Path) -> None:
        kernel(path, lambda group, key: group.create_dataset(key, data=np.zeros(SHAPE, dtype), dtype=dtype))

    build.__name__ = f"data_of_type_{name}"
    attack(ModelFileError, "kernel:0")(build)


_odd("compound", np.dtype([("a", np.float32)]))
_odd("enum", h5py.enum_dtype({"a": 0, "b": 1}, np.int32))
_odd("opaque", np.dtype("V4"))
_odd("bool", np.dtype(bool))
_odd("complex", np.dtype(np.complex64))
_odd("text", np.dtype("S4"))


def _never_written(name: str, dtype: Any) -> None:
    def build(path: Path) -> None:
        kernel(path, lambda group, key: group.create_dataset(key, SHAPE, dtype))

    build.__name__ = f"data_of_type_{name}"
    attack(ModelFileError, "kernel:0")(build)


_never_written("variable_length", h5py.vlen_dtype(np.float32))
_never_written("reference", h5py.ref_dtype)
_never_written("region", h5py.regionref_dtype)
_never_written("variable_text", h5py.string_dtype())


@attack(ModelFileError, "committed")
def data_of_a_committed_type(path: Path) -> None:
    def make(group: h5py.Group, name: str) -> None:
        group["type"] = np.dtype(np.float32)
        group.create_dataset(name, data=np.ones(SHAPE, np.float32), dtype=group["type"])

    kernel(path, make)


@attack(ModelFileError, "kernel:0")
def floats_of_an_odd_layout(path: Path) -> None:
    def make(group: h5py.Group, name: str) -> None:
        odd = h5t.IEEE_F32LE.copy()
        odd.set_fields(31, 24, 7, 0, 24)
        odd.set_ebias(63)
        space = h5s.create_simple(SHAPE)
        h5d.create(group.id, name.encode(), odd, space).write(h5s.ALL, h5s.ALL, np.ones(SHAPE, np.float32))

    kernel(path, make)


@attack(ModelFileError, "missing")
def a_type_in_place_of_data(path: Path) -> None:
    kernel(path, lambda group, name: group.__setitem__(name, np.dtype(np.float32)))


@attack(ModelFileError, "missing|not a path")
def a_name_that_climbs(path: Path) -> None:
    write_dense(path)
    patched(path, b"d/kernel:0\0", b"../../../x\0")


@attack(LimitExceededError, "may hold more")
def a_text_of_four_gib(path: Path) -> None:
    write(path, dense_model(), dense_weights())
    with h5py.File(path) as file:
        length = struct.pack("<I", len(file.attrs["model_config"]))
    content = path.read_bytes()
    found = re.search(re.escape(length) + rb".{8}\x01\0\0\0", content, re.DOTALL)
    assert found is not None
    path.write_bytes(content[: found.start()] + b"\xff" * 4 + content[found.start() + 4 :])


@attack(ModelFileError, "damaged|not where")
def a_heap_of_texts_that_never_ends(path: Path) -> None:
    """The library goes round for ever where an object of a global heap has no size."""
    write_dense(path)
    content = bytearray(path.read_bytes())
    at = content.index(b"GCOL") + 16
    content[at : at + 16] = bytes(16)
    path.write_bytes(content)


@attack(LimitExceededError, "texts of more than")
def names_that_are_all_one_text(path: Path) -> None:
    """Five attributes of 4,000 names each, every one of which is the same 4,000 bytes of the file."""
    write_dense(path)
    with h5py.File(path, "a") as file:
        group = file["model_weights"]
        del group.attrs["layer_names"]
        for piece in range(5):
            names = ["n" * (4000 + piece), *["x"] * 3999]
            group.attrs.create(f"layer_names{piece}", names, dtype=h5py.string_dtype())
    content = path.read_bytes()
    for piece in range(5):
        length = struct.pack("<I", 4000 + piece)
        (found,) = [m.start() for m in re.finditer(re.escape(length) + rb"(.{12}\x01\0\0\0){2}", content, re.DOTALL)]
        content = content[:found] + content[found : found + 16] * 4000 + content[found + 16 * 4000 :]
    path.write_bytes(content)
