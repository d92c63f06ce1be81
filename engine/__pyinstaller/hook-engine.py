"""Modules that are imported by their names when they are needed, files that are read, and versions that are shown."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

from engine.shipped import SHIPPED, shipped_model

hiddenimports = [
    *collect_submodules("engine", filter=lambda name: "__pyinstaller" not in name),
    "llvmlite.binding",
    "numba",
]
models = [path for name in SHIPPED if (path := shipped_model(name))]
datas = [
    *collect_data_files("engine"),
    *((str(path), "weights") for model in models for path in (model, model.with_suffix(".json"))),
    *copy_metadata("numba-infer"),
    *copy_metadata("numba"),
]
