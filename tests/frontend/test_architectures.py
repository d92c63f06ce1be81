"""Weights of keras.applications models by the model's name: the packaged descriptions, and how one is chosen."""

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import cli
import engine
from engine.errors import ModelFileError
from engine.frontend import open_model
from engine.frontend.architectures import architecture, known
from engine.frontend.builder import build, state_of
from engine.frontend.dialects import dialect_of
from engine.frontend.open_sizes import declared_shapes, tried
from engine.frontend.spec import LayerSpec
from engine.frontend.topology import parse_model
from engine.ir import reference
from tests.applications.families import FAMILIES

QUICK = ("MobileNet", "MobileNetV2", "VGG16", "ResNet50")


def data_of(name: str) -> dict[str, Any]:
    with files("engine.frontend").joinpath("architectures.zip").open("rb") as file, ZipFile(file) as archive:
        found: dict[str, Any] = json.loads(archive.read(name))
        return found


def shapes_of(model: dict[str, Any], version: str) -> dict[str, list[tuple[int, ...]]]:
    """By layer the shapes of the weights that a description asks for."""
    dialect = dialect_of(version)
    spec = parse_model(model, dialect)
    state = state_of(LayerSpec(spec.name, spec.class_name, {}, True, spec))
    build(state, dialect, {}, tried(declared_shapes(spec), 0))
    every = {name: [p.weight.shape for part in layer.split() for p in part] for name, layer in state.children.items()}
    return {name: shapes for name, shapes in every.items() if shapes}


def check(name: str) -> None:
    data = data_of(name)
    for variant in data["variants"]:
        for part in ("whole", "bare"):
            asked = shapes_of(variant[part]["model"], data["keras_version"])
            found = Counter(shape for shapes in asked.values() for shape in shapes)
            del found[()]
            assert found == Counter(tuple(shape) for shape in variant[part]["weights"])


@pytest.mark.parametrize("name", QUICK)
def test_descriptions_ask_for_the_weights_that_they_list(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAMILIES.keys() - set(QUICK)))
def test_the_other_descriptions_too(name: str) -> None:
    check(name)


def test_every_model_is_there() -> None:
    assert set(known().values()) == FAMILIES.keys()


@pytest.mark.parametrize(
    ("text", "name", "size"),
    [
        ("MobileNetV2", "MobileNetV2", None),
        ("keras.applications.MobileNetV2", "MobileNetV2", None),
        ("tf.keras.applications.mobilenet_v2.MobileNetV2", "MobileNetV2", None),
        ("mobilenet_v2@160", "MobileNetV2", (160, 160)),
        ("efficientnet-b0@64x96", "EfficientNetB0", (64, 96)),
    ],
)
def test_names(text: str, name: str, size: Any) -> None:
    found = architecture(text)
    assert found is not None
    assert (found.name, found.size) == (name, size)


@pytest.mark.parametrize("text", ["MobilNet", "MobileNetV2@", "MobileNetV2@a", "", b"MobileNetV2", None, __file__])
def test_what_is_no_name(text: Any) -> None:
    assert architecture(text) is None or text == "MobileNetV2@"


def write_weights(path: Path, name: str, part: str, variant: int = 0, classes: int = 1000) -> Path:
    """Weights layer by layer, as Keras 2 saved them, of random numbers."""
    data = data_of(name)
    asked = shapes_of(data["variants"][variant][part]["model"], data["keras_version"])
    rng = np.random.default_rng(5)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in asked]
        for layer, shapes in asked.items():
            saved = file.create_group(layer)
            saved.attrs["weight_names"] = [f"w{i}".encode() for i in range(len(shapes))]
            for i, shape in enumerate(shapes):
                fitted = [classes if size == 1000 else size for size in shape]
                saved.create_dataset(f"w{i}", data=rng.uniform(0.1, 0.2, fitted).astype(np.float32))
    return path


@pytest.mark.parametrize(
    ("part", "variant", "classes", "shape"),
    [
        ("whole", 0, 1000, (1000,)),
        ("whole", 3, 7, (7,)),
        ("bare", 3, 0, (7, 7, 256)),
        ("whole", 1, 256, (256,)),
    ],
)
def test_width_top_and_classes_follow_from_the_weights(
    part: str, variant: int, classes: int, shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = write_weights(tmp_path / "w.h5", "MobileNet", part, variant, classes)
    with open_model(path, "mobilenet") as network:
        assert network.input_shapes == ((224, 224, 3),)
        assert network.output_shapes == (shape,)
        assert "keras.applications.MobileNet (alpha=" in network.format
        assert all(np.isfinite(weight.read()).all() for weight in network.graph.weights())


def test_images_of_another_size(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "w.h5", "MobileNet", "bare", 3)
    with open_model(path, "MobileNet@64x96") as network:
        assert network.output_shapes == ((2, 3, 256),)
    with pytest.raises(ModelFileError, match="32 pixels more or less"):
        open_model(path, "MobileNet@65")


def test_names_of_before_2019(tmp_path: Path) -> None:
    """Both branches of ResNet50's first block have kernels of one shape, in another order than today."""
    path = write_weights(tmp_path / "w.h5", "ResNet50", "bare")
    with h5py.File(path, "a") as file:
        names = [str(name) for name in file.attrs["layer_names"]]
        old = {name: old_name(name) for name in names}
        for name in names:
            file.move(name, f"{old[name]}")
        first, second = (old[f"conv2_block1_{i}_conv"] for i in (0, 3))
        order = [old[name] for name in names]
        i, j = order.index(first), order.index(second)
        order[i], order[j] = order[j], order[i]
        file.attrs["layer_names"] = [name.encode() for name in order]
        kernel = file["res2a_branch1/w0"][()]
    with open_model(path, "ResNet50@32") as network:
        found = next(layer for layer in network.layers if layer.name == "conv2_block1_0_conv").weights[0].read()
    np.testing.assert_array_equal(found, kernel)


def old_name(name: str) -> str:
    if name.startswith("conv1"):
        return {"conv1_conv": "conv1", "conv1_bn": "bn_conv1"}[name]
    stage, block, place, kind = name.removeprefix("conv").split("_")
    branch = ["1", "2a", "2b", "2c"][int(place)]
    letter = "abcdef"[int(block.removeprefix("block")) - 1]
    return f"{'res' if kind == 'conv' else 'bn'}{stage}{letter}_branch{branch}"


def test_published_weights_of_efficientnet_are_scaled_once_more(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "w.h5", "EfficientNetB0", "bare")
    with open_model(path, "EfficientNetB0@32") as network:
        plain = len(network.layers)
    with h5py.File(path, "a") as file:
        file["normalization/w1"][...] = [0.229, 0.224, 0.225]
    with open_model(path, "EfficientNetB0@32") as network:
        names = [layer.name for layer in network.layers]
        first = reference.run(network.graph, [np.ones((1, 32, 32, 3))])
    assert len(names) == plain + 1
    assert all(np.isfinite(first[v]).all() for v in network.graph.outputs)


def test_what_does_not_fit_is_one_line(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "w.h5", "MobileNet", "bare", 3)
    with pytest.raises(ModelFileError, match=r"w.h5: its \d+ weights are not those of keras.applications.VGG16"):
        engine.load_model(path, arch="VGG16")
    with pytest.raises(ModelFileError, match="did you mean 'MobileNetV2'"):
        engine.load_model(path, arch="MobilNetV2")


def test_on_the_command_line(tmp_path: Path) -> None:
    path = str(write_weights(tmp_path / "w.h5", "MobileNet", "bare", 3))
    found = CliRunner().invoke(cli.main, ["inspect", path, "--arch", "MobileNet"])
    assert found.exit_code == 0, found.output
    assert "keras.applications.MobileNet (alpha=0.25)" in found.output
    wrong = CliRunner().invoke(cli.main, ["inspect", path, "--arch", "MobilNet"])
    assert wrong.exit_code == 2
    assert "did you mean 'MobileNet'" in wrong.output
