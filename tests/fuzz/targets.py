"""What is fuzzed: for each target, how a seed becomes input, and how the engine is handed it."""

import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

import engine
from engine.errors import GraphError, ImageError, LimitExceededError, ModelFileError, UnsupportedLayerError
from engine.frontend.files import open_bytes
from engine.frontend.h5 import Archive
from engine.images.decode import FORMATS, decode
from tests.fuzz.mutate import enlarge, mutate_bytes, mutate_json
from tests.golden import GOLDEN

MAX_VALUES = 16 << 20
ALLOWED = {
    "model": (ModelFileError, UnsupportedLayerError, LimitExceededError, GraphError),
    "image": (ImageError,),
}

Attempt = Callable[[], None]


@cache
def _files(pattern: str) -> list[Path]:
    return sorted(path for path in GOLDEN.glob(pattern) if path.stat().st_size < 1 << 16)


def _load(content: bytes | Path, arch: bytes | None = None) -> None:
    """All of loading but fetching kernels: nothing is computed."""
    with patch("engine.runtime.native.addresses"):
        engine.load_model(content, arch=arch, threads=1)


def _run(content: bytes, arch: bytes) -> None:
    """Load a model; if that works and its values are small, let it predict."""
    _load(content, arch)
    inspection = engine.inspect_model(content, arch=arch)
    if inspection.value_bytes is None or inspection.value_bytes > MAX_VALUES:
        return
    model = engine.load_model(content, arch=arch, threads=1)
    model.predict([np.zeros((1, *shape), np.float32) for shape in inspection.survey.inputs.values()])


def hdf5(rng: Random) -> Attempt:
    """Bytes of HDF5 files of Keras 2 and 3."""
    content = mutate_bytes(rng, rng.choice(_files("k*/*.h5")).read_bytes())
    return lambda: _load(content)


def config(rng: Random) -> Attempt:
    """Values of a model's description, with the weights that fit the one before. What can be loaded computes."""
    path = rng.choice(_files("k*/*.h5"))
    arch = json.dumps(mutate_json(rng, _described(path))).encode()
    return lambda: _run(path.read_bytes(), arch)


def sizes(rng: Random) -> Attempt:
    """One or two whole numbers of a model's description, made large."""
    path = rng.choice(_files("k*/*.h5"))
    arch = json.dumps(enlarge(rng, _described(path))).encode()
    return lambda: _load(path.read_bytes(), arch)


def _described(path: Path) -> dict[str, Any]:
    archive = Archive(open_bytes(path), str(path))
    text, group = archive.text(archive.root, "model_config"), archive.group(archive.root, "model_weights")
    version = archive.text(archive.root, "keras_version") or archive.text(group, "keras_version") or b"2.4.0"
    archive.close()
    return json.loads(text or b"{}") | {"keras_version": version.decode()}


def text(rng: Random) -> Attempt:
    """Bytes of the JSON of a model's description."""
    members = _members(rng.choice(_files("other/k3/*.keras")))
    members["config.json"] = mutate_bytes(rng, members["config.json"])
    content = _packed(members, zipfile.ZIP_STORED)
    return lambda: _load(content)


def archive(rng: Random) -> Attempt:
    """Bytes of `.keras` archives."""
    members = _members(rng.choice(_files("other/*/*.keras")))
    content = mutate_bytes(rng, _packed(members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))
    return lambda: _load(content)


def member(rng: Random) -> Attempt:
    """Bytes of the weights inside a `.keras` archive whose checksums are right."""
    members = _members(rng.choice(_files("other/*/*.keras")))
    name = next(name for name in members if name.endswith(".h5"))
    members[name] = mutate_bytes(rng, members[name])
    content = _packed(members, zipfile.ZIP_STORED)
    return lambda: _load(content)


def attacks(rng: Random) -> Attempt:
    """Bytes of the files that attack."""
    content = mutate_bytes(rng, rng.choice(_attacks()))
    return lambda: _load(content)


@cache
def _attacks() -> list[bytes]:
    from tests.fuzz.hostile import build_all

    with tempfile.TemporaryDirectory() as folder:
        build_all(Path(folder))
        return [path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.stat().st_size < 1 << 16]


def image(rng: Random) -> Attempt:
    """Bytes of pictures of every format that is read."""
    content = mutate_bytes(rng, _picture(rng.choice(FORMATS), rng.choice(("L", "RGB", "P", "1")), rng.randrange(4)))
    channels = rng.choice((1, 3))

    def attempt() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            decode(content, channels)

    return attempt


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def _packed(members: Mapping[str, bytes], method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


@cache
def _picture(kind: str, mode: str, variant: int) -> bytes:
    noise = np.random.default_rng(variant).integers(0, 256, (24, 31, 3), dtype=np.uint8)
    picture = Image.fromarray(noise if variant % 2 else noise // 64 * 64).convert(mode)
    options: dict[str, Any] = {}
    if kind == "TIFF":
        options = {"compression": (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")[variant]}
    elif kind == "JPEG":
        picture, options = picture.convert("L" if mode in ("1", "L") else "RGB"), {"progressive": variant > 1}
    elif kind == "WEBP":
        options = {"lossless": variant > 1}
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


TARGETS: dict[str, Callable[[Random], Attempt]] = {
    function.__name__: function for function in (hdf5, config, sizes, text, archive, member, attacks, image)
}


def warm_up() -> None:
    """Import what loading imports, so that it counts for no mutant."""
    _load(_files("k*/*.h5")[0])


def allowed(target: str) -> tuple[type[Exception], ...]:
    """The only exceptions that a target may raise."""
    return ALLOWED["image" if target == "image" else "model"]


def prepare(target: str, seed: int) -> Attempt:
    """Mutant `seed` of a target, or file `seed` of a folder, ready to be tried."""
    if target not in TARGETS:
        path = sorted(Path(target).iterdir())[seed]
        return lambda: _load(path)
    return TARGETS[target](Random(f"{target} {seed}"))
