"""Models in Keras 3's own formats and weights with a description from elsewhere, against the golden numbers."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest

from engine.errors import InputError, ModelFileError
from engine.frontend import Source, open_model
from engine.ir import reference
from tests.checking import assert_close
from tests.golden import GOLDEN, Golden, load
from tests.golden.formats import KERAS, SHARDS, WEIGHTS

OTHER = GOLDEN / "other"
ARCHIVES = sorted(OTHER.glob("k*/*.keras"))
SHARDED = sorted(OTHER.glob("k3/*.weights.json"))
ONLY_WEIGHTS = [p for p in sorted(OTHER.glob("k*/*.weights.h5")) if not p.name.partition(".")[0][-5:].isdigit()]


def model_of(path: Path) -> Path:
    """The golden model that a file holds in another format."""
    return GOLDEN / path.parent.name / f"{path.name.partition('.')[0]}.h5"


def check(source: Source, golden: Golden, arch: Source | None = None) -> str:
    """Compare every output; the format that was found."""
    with open_model(source, arch) as network:
        values = reference.run(network.graph, golden.inputs)
        for output, expected in zip(network.graph.outputs, golden.outputs, strict=True):
            assert_close(values[output], expected, golden.kind)
        return network.format


def ids(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


def test_the_files_are_those_listed() -> None:
    assert {p.stem for p in ARCHIVES} == set(KERAS)
    assert {p.name.partition(".")[0] for p in ONLY_WEIGHTS} == set(WEIGHTS)
    assert {p.name.partition(".")[0] for p in SHARDED} == set(SHARDS)


@pytest.mark.parametrize("path", ARCHIVES, ids=ids)
def test_archive(path: Path) -> None:
    assert check(path, load(model_of(path))) == ".keras archive"


@pytest.mark.parametrize("path", ARCHIVES, ids=ids)
def test_folder(path: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    assert check(tmp_path, load(model_of(path))) == ".keras folder"


@pytest.mark.parametrize("path", ONLY_WEIGHTS + SHARDED, ids=ids)
def test_weights_with_another_model_as_description(path: Path) -> None:
    with pytest.raises(ModelFileError, match="--arch"):
        open_model(path)
    check(path, load(model_of(path)), arch=model_of(path))


def test_shards_are_several_files() -> None:
    for path in SHARDED:
        files = json.loads(path.read_bytes())["weight_map"].values()
        assert len({name for names in files for name in names}) > 1


def description(path: Path) -> dict[str, Any]:
    with h5py.File(path) as file:
        return json.loads(file.attrs["model_config"]) | {"keras_version": str(file.attrs["keras_version"])}


def as_weights(path: Path, target: Path) -> Path:
    """The weights of a full model alone, as `save_weights` of Keras 2 wrote them."""
    with h5py.File(path) as whole, h5py.File(target, "w") as file:
        for name in whole["model_weights"]:
            whole.copy(f"model_weights/{name}", file)
        file.attrs.update(whole["model_weights"].attrs)
    return target


@pytest.mark.parametrize("name", ["nested_functional_frozen", "sequential_seed_cnn"])
@pytest.mark.parametrize("generation", ["k2", "k3"])
def test_legacy_weights_with_json_and_yaml(name: str, generation: str, tmp_path: Path) -> None:
    model = GOLDEN / generation / f"{name}.h5"
    weights = as_weights(model, tmp_path / "weights.h5")
    text = json.dumps(description(model))
    (tmp_path / "model.json").write_text(text)
    assert check(weights, load(model), tmp_path / "model.json") == "HDF5 weights, described by JSON"
    yaml = pytest.importorskip("yaml")
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(json.loads(text)))
    assert check(weights, load(model), tmp_path / "model.yaml") == "HDF5 weights, described by YAML"


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_content_counts_and_not_the_name(suffix: str, tmp_path: Path) -> None:
    archive, model = ARCHIVES[0], model_of(ARCHIVES[0])
    for source in (archive, model):
        path = tmp_path / f"{source.stem}{suffix}"
        path.write_bytes(source.read_bytes())
        check(path, load(model))


@pytest.mark.parametrize("path", [ARCHIVES[0], model_of(ARCHIVES[0])], ids=ids)
def test_bytes_and_files(path: Path) -> None:
    golden = load(model_of(path))
    check(path.read_bytes(), golden)
    check(io.BytesIO(path.read_bytes()), golden)
    with path.open("rb") as file:
        check(file, golden)
        assert not file.closed
    with path.open("rb", buffering=0) as file:
        check(file, golden)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    for source in (None, 3, io.StringIO("text"), bytearray(b"x")):
        with pytest.raises(InputError, match="expected a path, bytes or a binary file"):
            open_model(source)  # type: ignore[arg-type]
    with pytest.raises(ModelFileError, match=r"<0 bytes>: is empty"):
        open_model(b"")


def test_a_file_that_is_closed_meanwhile(tmp_path: Path) -> None:
    file = io.BytesIO(model_of(ARCHIVES[0]).read_bytes())
    with open_model(file) as network:
        file.close()
        with pytest.raises(ModelFileError, match="BytesIO"):
            network.layers[0].weights[0].read()


def test_descriptions_without_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(description(model_of(ARCHIVES[0]))))
    with pytest.raises(ModelFileError, match=r"model\.json: holds no weights"):
        open_model(path)
    path.write_text("[1, 2]")
    with pytest.raises(ModelFileError, match="no class_name"):
        open_model(ONLY_WEIGHTS[0], path)
    with pytest.raises(ModelFileError, match="holds no architecture"):
        open_model(ONLY_WEIGHTS[0], ONLY_WEIGHTS[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class_name: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("class_name: [", "cannot be read"),
        (
            "class_name: &a [x]\nb: &b [" + "*a, " * 50 + "]\nc: &c [" + "*b, " * 500 + "]\nd: [" + "*c, " * 500 + "]",
            "values",
        ),
    ],
)
def test_yaml_is_data(text: str, message: str, tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(Exception, match=message) as caught:
        open_model(ONLY_WEIGHTS[0], path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("file", ["../other.h5", "/etc/passwd", "", "..", 3])
def test_shards_stay_in_their_folder(file: Any, tmp_path: Path) -> None:
    path = tmp_path / "m.weights.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": {"/layers/dense/vars": [file]}}))
    with pytest.raises(ModelFileError, match="files beside it"):
        open_model(path, model_of(ARCHIVES[0]))


def regrouped(path: Path, target: Path, names: dict[str, str], container: str) -> Path:
    """A weights file with its container of layers, and the groups in it, under other names."""
    with h5py.File(path) as old, h5py.File(target, "w") as file:
        group = file.create_group(container)
        for name in old["layers"]:
            old.copy(f"layers/{name}", group, names.get(name, name))
    return target


@pytest.mark.parametrize("generation", ["k2", "k3"])
def test_numbers_with_gaps(generation: str, tmp_path: Path) -> None:
    path = OTHER / generation / "sequential_seed_cnn.weights.h5"
    names = {"dense_1": "dense_4", "dense": "dense_2", "conv2d_1": "conv2d_3"}
    file = regrouped(path, tmp_path / "w.h5", names, "_layer_checkpoint_dependencies")
    check(file, load(model_of(path)), model_of(path))


def test_names_of_layers_where_the_numbers_do_not_tell(tmp_path: Path) -> None:
    path = OTHER / "k3" / "sequential_seed_cnn.weights.h5"
    names = {"dense_1": "b", "dense": "a", "conv2d": "c"}
    check(regrouped(path, tmp_path / "w.h5", names, "layers"), load(model_of(path)), model_of(path))


def test_weights_that_are_missing(tmp_path: Path) -> None:
    path = OTHER / "k2" / "sequential_seed_cnn.weights.h5"
    file = regrouped(path, tmp_path / "w.h5", {"dense": "elsewhere"}, "layers")
    with pytest.raises(ModelFileError, match=r"layer 'fc1' \(Dense\): its weights are missing"):
        open_model(file, model_of(path))


def test_groups_that_hold_themselves_are_refused(tmp_path: Path) -> None:
    path = OTHER / "k3" / "nested_twice_deep.weights.h5"
    target = tmp_path / "w.h5"
    target.write_bytes(path.read_bytes())
    with h5py.File(target, "a") as file:
        name = next(n for n in file["layers"] if "layers" in file[f"layers/{n}"])
        del file[f"layers/{name}/layers"]
        file[f"layers/{name}/layers"] = file["layers"]
    with pytest.raises(ModelFileError):
        open_model(target, model_of(path))
