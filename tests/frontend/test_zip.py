"""Zip archives that are damaged, that lie, or that would unpack to more than they may."""

import io
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from engine.errors import EngineError, LimitExceededError, ModelFileError
from engine.frontend import open_model
from tests.golden import GOLDEN

WHOLE = (GOLDEN / "other" / "k3" / "separable_conv2d_valid.keras").read_bytes()
PARTS = ("metadata.json", "config.json", "model.weights.h5")


def parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        return {name: archive.read(name) for name in PARTS}


def packed(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def read(content: bytes) -> None:
    with open_model(content) as network:
        for weight in network.graph.weights():
            weight.read()


def refused(content: bytes, message: str, error: type[EngineError] = ModelFileError) -> None:
    with pytest.raises(error, match=message) as caught:
        read(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_whole_archives_are_read(method: int) -> None:
    read(WHOLE)
    read(packed(list(parts().items()), method))
    read(packed([*parts().items(), ("assets/../../evil.txt", b"never looked at")], method))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_refused(method: int) -> None:
    refused(packed(list(parts().items()), method), "only deflate")


@pytest.mark.parametrize("name", PARTS)
def test_a_member_twice(name: str) -> None:
    refused(packed([*parts().items(), (name, parts()[name])]), "twice")


@pytest.mark.parametrize(("name", "message"), [("config.json", "no config.json"), ("model.weights.h5", "missing")])
def test_a_member_missing(name: str, message: str) -> None:
    refused(packed([entry for entry in parts().items() if entry[0] != name]), message)


def test_pickled_weights_are_refused() -> None:
    kept = [(name, content) for name, content in parts().items() if name != "model.weights.h5"]
    refused(packed([*kept, ("model.weights.npz", b"PK")]), "pickled NumPy arrays")


def test_what_other_archives_are() -> None:
    refused(packed([("archive/data.pkl", b"x")]), "PyTorch")
    refused(packed([("model/saved_model.pb", b"x")]), "SavedModel")
    refused(packed([("a.npy", b"x")]), "NumPy")
    refused(packed([("readme.txt", b"x")]), "no Keras model")
    refused(packed([]), "no Keras model")


def test_truncated_anywhere() -> None:
    for part in range(50):
        with pytest.raises((ModelFileError, LimitExceededError)):
            read(WHOLE[: len(WHOLE) * part // 50])


def test_prepended_and_appended_bytes() -> None:
    refused(WHOLE[:4] + b"x" * 10 + WHOLE, "not where its end says")
    refused(WHOLE + b"more", "no end")


def directory_entry(content: bytes, name: str) -> int:
    """Where the directory's entry of a member begins."""
    return content.rindex(b"PK\1\2", 0, content.rindex(name.encode()))


def edited(at: int, layout: str, value: int) -> bytes:
    content = bytearray(WHOLE)
    struct.pack_into(layout, content, at, value)
    return bytes(content)


def test_encrypted() -> None:
    refused(edited(directory_entry(WHOLE, "config.json") + 8, "<H", 1), "encrypted")


def test_wrong_checksum() -> None:
    for name in ("config.json", "model.weights.h5"):
        refused(edited(directory_entry(WHOLE, name) + 16, "<I", 7), "checksum")


def test_sizes_that_lie() -> None:
    at = directory_entry(WHOLE, "model.weights.h5")
    refused(edited(at + 24, "<I", 100), "declares 100")
    refused(edited(at + 20, "<I", 100), "declares")
    refused(edited(at + 24, "<I", 0xFFFFFFFF), "cannot be read")
    refused(edited(at + 24, "<I", 0xFFFFFFF0), "unpacks", LimitExceededError)
    refused(edited(at + 42, "<I", 11), "not where its directory says|cannot be found")


def bomb(size: int) -> bytes:
    """An archive whose weights unpack to `size` zeros, and say so."""
    return packed([*list(parts().items())[:2], ("model.weights.h5", bytes(size))], zipfile.ZIP_DEFLATED)


def test_bombs_are_refused_before_they_unpack() -> None:
    refused(bomb(64 << 20), "unpacks", LimitExceededError)
    small = bytearray(bomb(64 << 20))
    struct.pack_into("<I", small, directory_entry(bytes(small), "model.weights.h5") + 24, 1000)
    refused(bytes(small), "its size is wrong")
    config = packed([("config.json", bytes(70 << 20)), *list(parts().items())[2:]], zipfile.ZIP_DEFLATED)
    refused(config, "unpacks", LimitExceededError)


def test_deflated_data_that_is_damaged() -> None:
    content = bytearray(packed(list(parts().items()), zipfile.ZIP_DEFLATED))
    at = content.index(b"config.json") + len("config.json")
    content[at : at + 20] = b"\xff" * 20
    refused(bytes(content), "unpacked|checksum")


def test_any_damaged_byte_is_a_clean_error_or_none() -> None:
    places = zlib.crc32(b"places")
    for i in range(150):
        at = (places * (i + 1)) % len(WHOLE)
        content = bytearray(WHOLE)
        content[at] ^= 1 << (i % 8)
        with suppress(EngineError):
            read(bytes(content))


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read(packed([*parts().items(), ("../evil.txt", b"x"), ("/evil.txt", b"x")]))
    assert list(tmp_path.iterdir()) == []
    assert not (tmp_path.parent / "evil.txt").exists()
