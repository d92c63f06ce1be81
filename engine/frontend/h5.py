"""HDF5, read without trusting it: hard links only, nothing outside the file, no more bytes than the file holds."""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5i, h5l, h5o, h5s, h5t, h5z
from numpy.typing import NDArray

from engine.errors import EngineError, LimitExceededError, ModelFileError
from engine.frontend.files import MAX_TEXT, Bytes, naming
from engine.frontend.object_header import read_texts
from engine.frontend.sniff import require_hdf5
from engine.ir.ops import Shape

MAX_RATIO = 32
MAX_MEMBERS = 100_000
SMALL_CHUNK = 1 << 20
FILTERS = frozenset({h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32})


@contextmanager
def _damage() -> Iterator[None]:
    """h5py's many ways to say that bytes are wrong, as one."""
    try:
        yield
    except EngineError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelFileError(f"cannot be read as HDF5: {reason}") from None


@dataclass(frozen=True, eq=False)
class Stored:
    """A data set that has passed every check that needs no data. `kind` is "float", "bfloat16" or "integer"."""

    name: str
    shape: Shape
    kind: str
    dtype: np.dtype[Any]
    archive: "Archive" = field(repr=False)
    place: Any = field(repr=False)

    def read(self) -> NDArray[Any]:
        """The data: float64 where float64 or integers are stored, else float32."""
        return self.archive.read(self)

    def load(self) -> NDArray[Any]:
        """The data as float32 or float64, straight from the file."""
        array = np.empty(self.shape, self.dtype)
        if array.size:
            self.place.read(h5s.ALL, h5s.ALL, array)
        if self.kind == "bfloat16":
            return (array.view("<u2").astype(np.uint32) << 16).view(np.float32).reshape(self.shape)
        wide = self.kind == "integer" or self.dtype.itemsize == 8
        return array.astype(np.float64 if wide else np.float32, copy=False)


class Archive:
    """An open HDF5 file, which it closes. Groups are addressed by low-level ids; every error is an `EngineError`.

    `name` is put in front of the errors of later reads.
    """

    def __init__(self, file: Bytes, name: str) -> None:
        self.name, self.size = name, file.size
        self._file = file
        self._h5: h5py.File | None = None
        self._declared = self._texts = 0
        self._places: list[tuple[int, int]] = []
        try:
            require_hdf5(self._file)
            with _damage():
                self._h5 = h5py.File(self._file, "r")
            self.root = self._h5.id
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the file go. Closing twice is fine."""
        try:
            if self._h5 is not None:
                self._h5.close()
        finally:
            self._h5 = None
            self._file.close()

    def read(self, stored: Stored) -> NDArray[Any]:
        """One data set, whole."""
        with naming(self.name):
            if self._h5 is None:
                raise ModelFileError("has been closed; its weights can no longer be read")
            with _damage():
                array = stored.load()
            self._file.check()
            return array

    def text(self, where: Any, name: str) -> bytes | None:
        """A text attribute, or None."""
        values = self._strings(where, name)
        if values is None:
            return None
        if len(values) != 1:
            raise ModelFileError(f"attribute {name!r} must be one text, found {len(values)}")
        return values[0]

    def names(self, where: Any, name: str) -> list[str] | None:
        """A list of names, also where it is split over attributes `name0`, `name1` and so on, or None."""
        values = self._strings(where, name)
        if values is None:
            pieces: list[list[bytes]] = []
            while (piece := self._strings(where, f"{name}{len(pieces)}")) is not None:
                pieces.append(piece)
            if not pieces:
                return None
            values = [value for piece in pieces for value in piece]
        try:
            return [value.decode("utf-8") for value in values]
        except UnicodeDecodeError:
            raise ModelFileError(f"attribute {name!r} is not UTF-8") from None

    def group(self, where: Any, path: str) -> Any | None:
        """The group at `path` below `where`, or None."""
        found = self._walk(where, path)
        if found is not None and not isinstance(found, h5g.GroupID):
            raise ModelFileError(f"{path!r} must be a group")
        return found

    def is_group(self, where: Any, name: str) -> bool:
        """Whether what a group holds under a name is a group."""
        return isinstance(self._walk(where, name), h5g.GroupID)

    def address(self, where: Any) -> int:
        """What tells a group from every other one in the file."""
        with _damage():
            return int(h5o.get_info(where).addr)

    def dataset(self, where: Any, path: str) -> Stored:
        """The data set at `path` below `where`, checked."""
        found = self._walk(where, path)
        if not isinstance(found, h5d.DatasetID):
            raise ModelFileError(f"data set {path!r} is missing")
        with _damage():
            return self._checked(found, path)

    def members(self, where: Any) -> list[str]:
        """The names of what a group holds. Nothing is opened."""
        with _damage():
            if where.get_num_objs() > MAX_MEMBERS:
                raise LimitExceededError(f"one of its groups holds more than {MAX_MEMBERS} objects")
            return [name.decode("utf-8") for name in where]

    def _walk(self, where: Any, path: str) -> Any | None:
        with _damage():
            for part in filter(None, path.split("/")):
                key = part.encode()
                if part == "." or not isinstance(where, h5g.GroupID):
                    raise ModelFileError(f"{path!r} is not a path of groups")
                if not where.links.exists(key):
                    return None
                if where.links.get_info(key).type != h5l.TYPE_HARD:
                    raise ModelFileError(f"{path!r} is a link to another place or file; such links are refused")
                where = h5o.open(where, key)
        return where

    def _strings(self, where: Any, name: str) -> list[bytes] | None:
        with _damage():
            key = name.encode()
            if not h5a.exists(where, key):
                return None
            attribute = h5a.open(where, key)
            count = attribute.get_space().get_simple_extent_npoints()
            if count == 0:
                return []
            kind = attribute.get_type()
            if not isinstance(kind, h5t.TypeStringID):
                raise ModelFileError(f"attribute {name!r} must be text")
            if kind.is_variable_str():
                return self._counted(self._variable(where, key, count))
            if count * kind.get_size() > MAX_TEXT:
                raise LimitExceededError(f"attribute {name!r} may hold more than {MAX_TEXT} bytes")
            values = np.empty(attribute.shape, attribute.dtype)
            attribute.read(values)
            return self._counted(values.ravel().tolist())

    def _counted(self, texts: list[bytes]) -> list[bytes]:
        self._texts += sum(map(len, texts))
        if self._texts > MAX_TEXT:
            raise LimitExceededError(f"its attributes hold texts of more than {MAX_TEXT} bytes")
        return texts

    def _variable(self, where: Any, name: bytes, count: int) -> list[bytes]:
        creation = h5i.get_file_id(where).get_create_plist()
        if creation.get_sizes() != (8, 8):
            raise ModelFileError(f"attribute {name.decode()!r} is stored in a way that is not read")
        base = creation.get_userblock()
        header = h5o.get_info(where).addr
        return read_texts(lambda at, size: self._file.read_at(base + at, size), header, name, count)

    def _checked(self, found: Any, path: str) -> Stored:
        plist = found.get_create_plist()
        layout = plist.get_layout()
        if layout == h5d.VIRTUAL or plist.get_external_count():
            raise ModelFileError(f"data set {path!r} keeps its data in another file; this is refused")
        if found.get_space().get_simple_extent_type() == h5s.NULL:
            raise ModelFileError(f"data set {path!r} holds nothing")
        shape, dtype = tuple(map(int, found.shape)), found.dtype
        kind = self._kind(found, dtype, path)
        logical, storage = prod(shape) * dtype.itemsize, found.get_storage_size()
        if layout == h5d.CHUNKED:
            _check_chunks(plist, dtype.itemsize, logical, storage, path)
        elif storage != logical:
            raise LimitExceededError(f"data set {path!r} declares {logical} bytes but stores {storage}")
        self._declared += storage
        if self._declared > self._file.size:
            raise LimitExceededError(f"its data sets declare more bytes than the {self._file.size} of the file")
        if (start := found.get_offset()) is not None and storage:
            self._check_overlap(start, start + storage, path)
        return Stored(path, shape, kind, dtype, self, found)

    def _check_overlap(self, start: int, end: int, path: str) -> None:
        """The places of data sets are apart. One that is asked for twice is in the same place."""
        at = bisect_left(self._places, (start, end))
        if (start, end) in self._places[at : at + 1]:
            return
        before, after = self._places[at - 1 : at], self._places[at : at + 1]
        if (before and before[0][1] > start) or (after and after[0][0] < end):
            raise LimitExceededError(f"the data of {path!r} overlap those of another data set")
        self._places.insert(at, (start, end))

    def _kind(self, found: Any, dtype: np.dtype[Any], path: str) -> str:
        stored = found.get_type()
        if stored.committed():
            raise ModelFileError(f"data set {path!r} is of a committed type; such types are refused")
        if stored == h5t.py_create(dtype):
            if dtype.kind == "f" and dtype.itemsize in (2, 4, 8):
                return "float"
            if dtype.kind in "iu" and isinstance(stored, h5t.TypeIntegerID):
                return "integer"
            if dtype == np.dtype("V2") and self.text(found, "dtype") == b"bfloat16":
                return "bfloat16"
        raise ModelFileError(f"data set {path!r} holds {dtype}; expected floating-point numbers")


def _check_chunks(plist: Any, itemsize: int, logical: int, storage: int, path: str) -> None:
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    if not filters <= FILTERS:
        raise ModelFileError(f"data set {path!r} is packed with filter {min(filters - FILTERS)}; only gzip is read")
    chunk = prod(plist.get_chunk()) * itemsize
    if logical > MAX_RATIO * storage or chunk > max(SMALL_CHUNK, MAX_RATIO * storage):
        raise LimitExceededError(
            f"data set {path!r} unpacks {storage} bytes to {logical}; at most {MAX_RATIO}× is read"
        )
