"""What kind of file some bytes are, by the bytes alone: names and suffixes prove nothing."""

import re
from typing import Literal, TypeAlias

from engine.errors import ModelFileError
from engine.frontend.files import Bytes

Kind: TypeAlias = Literal["hdf5", "zip", "json", "yaml", "other"]

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
HEAD = 1 << 16

_MAGIC = (
    (b"version https://git-lfs", "is a Git-LFS pointer, not the file itself: run `git lfs pull`"),
    (b"\x80\x02", "is a Python pickle (PyTorch or other)"),
    (b"\x80\x03", "is a Python pickle"),
    (b"\x80\x04", "is a Python pickle"),
    (b"\x80\x05", "is a Python pickle"),
    (b"\x93NUMPY", "is a NumPy array"),
    (b"GGUF", "is a GGUF file"),
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
    (b"%PDF", "is a PDF document"),
    (b"\x89PNG", "is an image"),
    (b"\xff\xd8\xff", "is an image"),
)


def kind_of(head: bytes) -> Kind:
    """Which reader takes a file that begins so."""
    offset = 0
    while offset + len(HDF5_MAGIC) <= len(head):
        if head.startswith(HDF5_MAGIC, offset):
            return "hdf5"
        offset = max(512, offset * 2)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    text = _text(head) or ""
    if text.startswith(("{", "[")):
        return "json"
    return "yaml" if re.search(r"^(class_name|config|keras_version|backend):", text, re.MULTILINE) else "other"


def head_of(file: Bytes) -> bytes:
    """As much of the beginning of a file as tells what it is."""
    return file.read_at(0, min(HEAD, file.size))


def require_hdf5(file: Bytes) -> None:
    """Raise `ModelFileError` saying what the file is, unless it is HDF5."""
    head = head_of(file)
    if kind_of(head) != "hdf5":
        raise ModelFileError(describe(head))


def describe(head: bytes) -> str:
    """What a file that is not HDF5 is, by its first bytes."""
    if not head:
        return "is empty"
    known = next((meaning for magic, meaning in _MAGIC if head.startswith(magic)), None)
    if known is not None:
        return known
    if head[4:8] == b"TFL3":
        return "is a TensorFlow Lite model"
    if head[:1] == b"\x08" and (b"onnx" in head[:4096].lower() or head[2:3] in (b"\x12", b"\x1a", b"\x3a")):
        return "is an ONNX model"
    text = _text(head)
    return "is neither HDF5 nor a .keras archive" if text is None else _describe_text(text)


def _describe_text(text: str) -> str:
    if text.startswith("<"):
        return "is a web page or XML"
    return "is a text file"


def _text(head: bytes) -> str | None:
    try:
        text = head[: len(head) // 4 * 4 or len(head)].decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        if len(head) - error.start > 4:
            return None
        text = head[: error.start].decode("utf-8")
    text = text.lstrip("\ufeff \t\r\n")
    return text if all(c.isprintable() or c in "\t\r\n\f" for c in text[:4096]) else None
