"""Records as a Parquet file, made from JSON lines by pyarrow."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import EngineError
from engine.report.record import Layout

ROWS = 10_000


def require_pyarrow() -> None:
    """Raise EngineError where Parquet cannot be written."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise EngineError("Parquet needs pyarrow: pip install 'numba-infer[parquet]'") from None


def write_parquet(lines: BinaryIO, path: Path, layout: Layout) -> None:
    """The records of JSON `lines` at `path`: path, label, score, index, top, error, and probs where asked for.

    Holds 10,000 rows at a time. Bytes of a path that are not UTF-8 are written as in Python's backslashreplace. How
    images were treated is in the file's metadata, under `decided`.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema(layout)
    with parquet.ParquetWriter(path, schema) as writer:
        while rows := list(islice(_rows(lines), ROWS)):
            writer.write_table(pa.Table.from_pylist(rows, schema))


def read_parquet(path: Path, lines: BinaryIO) -> None:
    """Write the records at `path` as JSON lines: the other way round."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        metadata = file.schema_arrow.metadata or {}
        decided = json.loads(metadata.get(b"decided", b"{}"))
        for batch in file.iter_batches(ROWS):
            for row in batch.to_pylist():
                error = row.pop("error")
                values = {"path": row["path"], "error": error} if error else {**row, "decided": decided}
                lines.write(json.dumps(values).encode() + b"\n")


def _schema(layout: Layout) -> Any:
    import pyarrow as pa

    score = pa.struct([("label", pa.string()), ("score", pa.float64()), ("index", pa.int32())])
    fields = [("path", pa.string()), *((f.name, f.type) for f in score), ("top", pa.list_(score))]
    fields += [("probs", pa.list_(pa.float64()))] if layout.probs else []
    fields += [("error", pa.string())]
    return pa.schema(fields, metadata={"decided": json.dumps(layout.decided)})


def _rows(lines: BinaryIO) -> Iterator[dict[str, Any]]:
    for line in lines:
        row = json.loads(line)
        yield {**row, "path": row["path"].encode("utf-8", "backslashreplace").decode()}
