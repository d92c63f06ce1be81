"""Archives and arrays changed at random: sources come out, images or failed ones, and nothing else ever."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from engine.errors import ImageError
from engine.images.sources import MANY, Source, sources
from tests.fuzz.mutate import mutate_bytes
from tests.images.test_tarred import MEMBERS, OTHER, tar

MOST = 1000


def zipped() -> bytes:
    file, image = io.BytesIO(), io.BytesIO()
    Image.new("L", (8, 8), 100).save(image, "PNG")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(4):
            archive.writestr(f"folder/{i}.png", image.getvalue())
    return file.getvalue()


def array(save: Callable[..., None], *arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, *arrays)
    return file.getvalue()


TAR = tar({**OTHER, **MEMBERS}).rstrip(b"\0") + bytes(1024)
SEEDS = {
    ".zip": zipped(),
    ".tar": TAR,
    ".tar.gz": gzip.compress(TAR),
    ".tar.bz2": bz2.compress(TAR),
    ".tar.xz": lzma.compress(TAR),
    ".npy": array(np.save, np.zeros((3, 5, 5), np.float32)),
    ".npz": array(np.savez_compressed, np.zeros((3, 5, 5), np.uint8), np.arange(3)),
}


def size(source: Source) -> int:
    assert source.name
    return 0 if isinstance(source.picture, ImageError) else source.size


def check(suffix: str, count: int, folder: Path) -> None:
    path = folder / f"mutant{suffix}"
    for seed in range(count):
        path.write_bytes(mutate_bytes(Random(seed), SEEDS[suffix]))
        found = [size(source) for source in sources([str(path)])]
        assert len(found) < MOST, seed
        assert sum(found) < 1 << 20, seed


@pytest.mark.parametrize("suffix", SEEDS)
def test_mutants(suffix: str, tmp_path: Path) -> None:
    check(suffix, 100, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SEEDS)
def test_many_mutants(suffix: str, tmp_path: Path) -> None:
    check(suffix, 3000, tmp_path)


def test_every_kind_has_a_seed() -> None:
    assert {suffix for suffix in MANY if suffix not in (".tgz", ".tbz2", ".txz")} == set(SEEDS)
