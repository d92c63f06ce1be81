"""Modules that are imported by their names when they are needed, the models that ship, and the versions of both."""

from PyInstaller.utils.hooks import collect_submodules, copy_metadata

from engine.shipped import SHIPPED, shipped_model

hiddenimports = [
    *collect_submodules("engine", filter=lambda name: "__pyinstaller" not in name),
    "llvmlite.binding",
    "numba",
]
models = [path for name in SHIPPED if (path := shipped_model(name))]
datas = [
    *((str(path), "weights") for model in models for path in (model, model.with_suffix(".json"))),
    *copy_metadata("numba-infer"),
    *copy_metadata("numba"),
]
