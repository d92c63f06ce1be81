"""Images in `.npy` and `.npz`."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import ImageError
from engine.images.decode import decode
from engine.images.sources import Source, sources

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (5, 9, 7), dtype=np.uint8)


def saved(path: Path, array: Any) -> list[Source]:
    np.save(path, array)
    return list(sources([str(path)]))


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((5, 9, 7), 5),
        ((5, 9, 7, 1), 5),
        ((5, 9, 7, 3), 5),
        ((2, 9, 7, 4), 2),
        ((9, 7), 0),
        ((9, 7, 3), 0),
        ((0, 9, 7), 0),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", ">u2", "<f4", ">f8", "f2"])
def test_a_batch_or_one_image(shape: tuple[int, ...], count: int, dtype: str, tmp_path: Path) -> None:
    array = RNG.integers(0, 256, shape).astype(dtype)
    found = saved(tmp_path / "x.npy", array)
    path = str(tmp_path / "x.npy")
    single = len(shape) == 2 or (shape[-1] == 3 and len(shape) == 3)
    assert [source.name for source in found] == ([path] if single else [f"{path}[{i}]" for i in range(count)])
    for source, expected in zip(found, [array] if single else array, strict=True):
        assert isinstance(source.picture, np.ndarray)
        assert np.array_equal(source.picture, expected)
        assert source.picture.dtype.isnative
        assert source.size == expected.nbytes


def test_a_dark_image_in_a_batch_of_floats_to_255_stays_dark(tmp_path: Path) -> None:
    array = RNG.uniform(0, 255, (3, 5, 5)).astype(np.float32)
    array[1] = 0.75
    found = saved(tmp_path / "x.npy", array)
    np.testing.assert_allclose([decode(s.picture, 1)[..., 0] for s in found], array, rtol=1e-6)  # type: ignore[arg-type]
    unit = saved(tmp_path / "x.npy", array / 255)
    np.testing.assert_allclose([decode(s.picture, 1)[..., 0] for s in unit], array, rtol=1e-6)  # type: ignore[arg-type]


def test_npz_gives_the_arrays_of_images(tmp_path: Path) -> None:
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "d.npz", x_train=GREY, y_train=np.arange(5), one_hot=np.eye(10), x_test=GREY[:2, ..., None])
        found = list(sources([str(tmp_path / "d.npz")]))
        assert [source.name.removeprefix(str(tmp_path)) for source in found] == [
            *(f"/d.npz/x_train[{i}]" for i in range(5)),
            *(f"/d.npz/x_test[{i}]" for i in range(2)),
        ]
        assert np.array_equal(np.stack([source.picture for source in found[:5]]), GREY)  # type: ignore[arg-type]


def header(text: str, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text.encode() + data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "NumPy's format"),
        (b"hello world", "NumPy's format"),
        (header("{", version=b"\3\0"), "NumPy's format"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3"), "header cannot be read"),
        (header("__import__('os').system('false')\n"), "header cannot be read"),
        (header("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3, 3)}\n", b"cos\nsystem\n"), "not object"),
        (header("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3, 3)}\n"), "not int64"),
        (header("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 5)}\n"), "Fortran"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (10,)}\n"), "the shape"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 5, 2)}\n"), "the shape"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 99999, 99999)}\n"), "99999 × 99999 pixels"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 0, 9)}\n"), "9 × 0 pixels"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 9, 9)}\n"), "shape cannot be right"),
        (header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**30}, 9, 9)}}\n"), "shape cannot be right"),
    ],
)
def test_files_that_are_no_images(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(data)
    (source,) = sources([str(path)])
    assert isinstance(source.picture, ImageError)
    assert str(source.picture).startswith(f"{path}: ")
    assert reason in str(source.picture)


def test_a_short_file_gives_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    saved(path, GREY)
    path.write_bytes(path.read_bytes()[:-100])
    *whole, last = sources([str(path)])
    assert len(whole) == 3
    assert "[3]: the array ends here, 2 images before it should" in str(last.picture)


def test_a_great_promise_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**12}, 9, 9)}}\n", bytes(81)))
    first, last = sources([str(path)])
    assert first.size == 81
    assert "the array ends here" in str(last.picture)


def test_damaged_archives_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez_compressed(path, x=GREY)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)
    found = list(sources([str(path)]))
    assert isinstance(found[-1].picture, ImageError)
    path.write_bytes(b"no zip")
    (source,) = sources([str(path)])
    assert "not a zip archive" in str(source.picture)
    file = io.BytesIO()
    np.savez(file, y=np.arange(3))
    path.write_bytes(file.getvalue())
    (source,) = sources([str(path)])
    assert "no array of images" in str(source.picture)
