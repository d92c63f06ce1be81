"""A text of ours in an HDF5 file: an attribute of its root, which Keras passes over."""

import os
import secrets
import shutil
from contextlib import closing
from pathlib import Path

from engine.errors import ModelFileError
from engine.frontend.files import Source, naming, open_bytes
from engine.frontend.sniff import head_of, kind_of

NOTE = "infer_meta"
MAX_BYTES = 60_000
"""An attribute shares its object's header with others, and HDF5 gives that 64 KiB."""


def read_note(source: Source) -> bytes | None:
    """The text in a source, None if it has none or is no HDF5. Raises `ModelFileError`."""
    if isinstance(source, str | os.PathLike) and not os.path.isfile(source):
        return None
    with closing(open_bytes(source)) as file:
        if kind_of(head_of(file)) != "hdf5":
            return None
        from engine.frontend.h5 import Archive

        with closing(Archive(file, "")) as archive:
            return archive.text(archive.root, NOTE)


def write_note(path: str | os.PathLike[str], text: bytes) -> None:
    """Put a text into an HDF5 file, in place of the one that it has. The file is replaced whole, or left as it is.

    Raises `ModelFileError` for another kind of file and for a text of more than 60,000 bytes.
    """
    target = Path(os.path.realpath(path))
    with naming(os.fspath(path)):
        with closing(open_bytes(target)) as file:
            if kind_of(head_of(file)) != "hdf5":
                raise ModelFileError("is no HDF5 file, and only those have attributes; a sidecar says the same")
        if len(text) > MAX_BYTES:
            raise ModelFileError(f"has no room for {len(text):,} bytes in an attribute; a sidecar says the same")
        temporary = target.with_name(f".infer-{secrets.token_hex(8)}")
        try:
            shutil.copy2(target, temporary)
            _write(temporary, text)
            os.replace(temporary, target)
        except OSError as error:
            raise ModelFileError(f"cannot be written: {error.strerror or error}") from None
        finally:
            temporary.unlink(missing_ok=True)


def _write(path: Path, text: bytes) -> None:
    import h5py
    import numpy as np

    with h5py.File(path, "r+") as file:
        file.attrs[NOTE] = np.bytes_(text)
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    if read_note(path) != text:
        raise ModelFileError("would not read back as it was written")
