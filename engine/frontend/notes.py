"""A text of ours in an HDF5 file: an attribute of its root, which Keras passes over."""

import os
import secrets
import shutil
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np

from engine.errors import ModelFileError
from engine.frontend.files import naming, open_bytes
from engine.frontend.h5 import Archive
from engine.frontend.sniff import head_of, kind_of

NOTE = "infer_meta"
MAX_BYTES = 60_000
"""An attribute shares its object's header with others, and HDF5 gives that 64 KiB."""


def note_in(archive: Archive) -> str:
    """The text in an open file, empty if there is none. Raises `ModelFileError`."""
    return (archive.text(archive.root, NOTE) or b"").decode("utf-8", "replace")


def read_note(path: str | os.PathLike[str]) -> str:
    """The text in a file, empty if there is none or it is no HDF5. Raises `ModelFileError`."""
    with closing(open_bytes(path)) as file:
        if kind_of(head_of(file)) != "hdf5":
            return ""
        with closing(Archive(file, "")) as archive:
            return note_in(archive)


def write_note(path: str | os.PathLike[str], text: str) -> None:
    """Put a text into an HDF5 file, in place of the one that it has. The file is replaced whole, or left as it is.

    Raises `ModelFileError` for another kind of file and for a text of more than 60,000 bytes.
    """
    target = Path(os.path.realpath(path))
    with naming(os.fspath(path)):
        with closing(open_bytes(target)) as file:
            if kind_of(head_of(file)) != "hdf5":
                raise ModelFileError("is no HDF5 file, and only those have attributes; a sidecar says the same")
        if (size := len(text.encode())) > MAX_BYTES:
            raise ModelFileError(f"has no room for {size:,} bytes in an attribute; a sidecar says the same")
        temporary = target.with_name(f".infer-{secrets.token_hex(8)}")
        try:
            shutil.copy2(target, temporary)
            _write(temporary, text)
            os.replace(temporary, target)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            reason = getattr(error, "strerror", None) or " ".join(str(error).split())
            raise ModelFileError(f"cannot be written: {reason}") from None
        finally:
            temporary.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs[NOTE] = np.bytes_(text.encode())
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
    if read_note(path) != text:
        raise ModelFileError("would not read back as it was written")
