"""What decides how images are treated, and in which order."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.classify import Classifier
from engine.errors import InputError
from engine.images.families import family_preprocess
from engine.images.preprocess import Scaling
from tests.fake_model import FakeModel

COLOUR = (None, 224, 224, 3)
FAMILIES = {
    "caffe": "vgg16 vgg19 resnet50 resnet101 resnet152 resnet50_1",
    "tf": "resnet50v2 resnet152v2 mobilenet_1.00_224 mobilenet_0.25_128 mobilenetv2_1.00_224 mobilenetv2_0.35_96 "
    "inception_v3 inception_resnet_v2 xception NASNet nasnet_mobile nasnet_large MobileNetV3Small MobileNetV3Large "
    "efficientnetv2-b0 efficientnetv2-s",
    "torch": "densenet121 densenet169 densenet201",
    "none": "efficientnetb0 efficientnetb7 convnext_tiny convnext_xlarge regnetx002 resnet-rs-50",
}


def layer(class_name: str, name: str = "layer", **config: Any) -> SimpleNamespace:
    return SimpleNamespace(name=name, class_name=class_name, config=config, layers=())


def nested(name: str, *layers: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(name=name, class_name="Functional", config={}, layers=layers)


Made = Callable[..., Classifier]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tmp_path / "m.h5"


@pytest.fixture
def classifier(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A Classifier of a model with these layers."""

    def make(*layers: Any, name: str = "model", shape: Any = COLOUR, classes: int = 10, **options: Any) -> Classifier:
        model = FakeModel(input_shape=shape, output_shape=(None, classes)).install(monkeypatch)
        model.layers, model.name = list(layers), name
        return Classifier(options.pop("path", weights), **options)

    return make


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for mode, names in FAMILIES.items() for name in names.split()])
def test_families_by_the_models_name(name: str, mode: str, classifier: Made) -> None:
    for made in (classifier(name=name), classifier(layer("InputLayer"), nested(name, layer("Conv2D")))):
        assert made.preprocess == mode
        assert made.decisions.preprocess.reason == f"{name} is a model of keras.applications"


@pytest.mark.parametrize(
    "name", ["model", "resnet18", "resnet34v2", "my_vgg16", "vgg16_50x", "mobilenet", "sequential_1"]
)
def test_other_names_are_no_family(name: str) -> None:
    assert family_preprocess(name) is None


def test_a_layer_of_that_name_is_no_model(classifier: Made) -> None:
    assert classifier(layer("Conv2D", "xception")).preprocess == "none"


@pytest.mark.parametrize(
    "scaling",
    [
        layer("Rescaling"),
        layer("Normalization"),
        layer("TrueDivide"),
        layer("TFOpLambda", "tf.math.truediv", function="math.truediv"),
        layer("TFOpLambda", "tf.math.subtract_3", function="math.subtract"),
        layer("TFOpLambda", "tf.nn.bias_add_1", function="nn.bias_add"),
        layer("TensorFlowOpLayer", "tf_op_layer_sub"),
        layer("Add"),
        nested("augment", layer("RandomFlip"), layer("Rescaling")),
    ],
    ids=lambda layer: f"{layer.class_name}-{layer.name}",
)
def test_a_model_that_scales_its_images_gets_them_raw(scaling: Any, classifier: Made) -> None:
    made = classifier(layer("InputLayer"), scaling, nested("vgg16", layer("Conv2D")), shape=(None, 28, 28, 1))
    assert made.preprocess == "none"
    assert "scales them" in made.decisions.preprocess.reason


@pytest.mark.parametrize(
    "other", [layer("TFOpLambda", "tf.reshape", function="reshape"), layer("Conv2D"), layer("Dense")]
)
def test_scaling_behind_the_first_weights_is_no_preprocessing(other: Any, classifier: Made) -> None:
    layers = [other, layer("Rescaling")] if other.class_name != "TFOpLambda" else [other]
    assert classifier(*layers, name="vgg16").preprocess == "caffe"


@pytest.mark.parametrize(
    ("names", "mode", "family"),
    [
        ("input_1 block1_conv1 block1_pool block5_conv3 dense", "caffe", "VGG"),
        ("conv2_block1_add conv5_block3_add conv5_block3_out", "caffe", "ResNet"),
        ("conv2_block1_preact_bn conv2_block1_1_conv conv5_block3_out", "tf", "ResNetV2"),
        ("block1_conv1 block2_sepconv1 block14_sepconv2", "tf", "Xception"),
        ("conv2_block1_0_bn conv2_block1_concat conv5_block1_concat", "torch", "DenseNet"),
    ],
)
def test_families_by_their_layers(names: str, mode: str, family: str, classifier: Made) -> None:
    layers = [layer("Conv2D", name) for name in names.split()]
    made = classifier(*layers, name="functional_1")
    assert made.preprocess == mode
    assert made.decisions.preprocess.reason == f"its layers are those of {family} in keras.applications"
    assert classifier(*layers[:1], name="functional_1").preprocess == "none"


def test_a_family_in_grey_is_none_of_keras_applications(classifier: Made) -> None:
    assert classifier(name="vgg16", shape=(None, 32, 32, 1)).preprocess == "unit"
    assert classifier(name="vgg16", shape=(None, 224, 224, 1)).preprocess == "none"


def test_the_order(classifier: Made, weights: Path) -> None:
    scaled = layer("Rescaling", "rescaling")
    assert classifier(shape=(None, 64, 64, 1)).preprocess == "unit"
    shape = (None, 64, 64, 3)
    assert classifier(name="xception", shape=shape).preprocess == "tf"
    assert classifier(scaled, name="xception", shape=shape).preprocess == "none"
    weights.with_suffix(".json").write_text('{"preprocess": "mnist"}')
    made = classifier(scaled, name="xception", shape=shape)
    assert (made.preprocess, made.decisions.preprocess.reason) == ("mnist", str(weights.with_suffix(".json")))
    assert classifier(scaled, name="xception", shape=shape, preprocess="auto").preprocess == "mnist"
    made = classifier(scaled, name="xception", shape=shape, preprocess="unit")
    assert (made.preprocess, made.decisions.preprocess.reason) == ("unit", "asked for")


def test_presets_bring_their_own_resize_and_invert(classifier: Made) -> None:
    made = classifier(preprocess="teachable-machine")
    assert (made.resize, made.decisions.resize.reason) == ("lanczos-fit", "that of teachable-machine")
    assert classifier(preprocess="teachable-machine", resize="keras").resize == "keras"
    made = classifier(preprocess="mnist", shape=(None, 28, 28, 1))
    assert (made.invert, made.decisions.invert.reason) == ("auto", "that of mnist")
    assert classifier(preprocess="mnist", invert="no", shape=(None, 28, 28, 1)).invert == "no"


def test_teachable_machine_is_known_by_its_files(classifier: Made, tmp_path: Path) -> None:
    path = tmp_path / "keras_model.h5"
    assert classifier(path=path, classes=2).preprocess == "none"
    (tmp_path / "labels.txt").write_text("0 Cat\n1 Dog\n")
    made = classifier(path=path, classes=2)
    assert (made.preprocess, made.resize, made.classes) == ("teachable-machine", "lanczos-fit", ("Cat", "Dog"))
    assert classifier(path=tmp_path / "other.h5", classes=2).preprocess == "none"
    assert classifier(path=path, classes=2, preprocess="unit").resize == "keras"


def test_an_open_size_must_be_said(classifier: Made, weights: Path) -> None:
    shape = (None, None, None, 3)
    with pytest.raises(InputError, match=r"m\.h5: the input .* leaves the size of images open: --size 224"):
        classifier(shape=shape)
    assert classifier(shape=shape, size=(96, 64)).decisions.size.value == "96 × 64"
    weights.with_suffix(".json").write_text('{"size": 160}')
    made = classifier(shape=shape)
    assert made.decisions.size.value == "160 × 160"
    assert made.decisions.size.reason == str(weights.with_suffix(".json"))


def test_own_numbers(classifier: Made) -> None:
    made = classifier(scale=1 / 255, mean=[0.5, 0.25, 0], std=2)
    assert made.preprocess == Scaling(1 / 255, (0.5, 0.25, 0.0), (2.0,))
    assert json.loads(json.dumps(made.decisions.to_dict()))["preprocess"] == {
        "value": {"scale": 1 / 255, "mean": [0.5, 0.25, 0.0], "std": [2.0]},
        "reason": "asked for",
    }
    assert classifier(scale=2, preprocess="auto").preprocess == Scaling(2.0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"scale": 2, "preprocess": "unit"}, "give either it or scale, mean and std"),
        ({"mean": [1, 2]}, "1 number or as many as its channels, 3, not 2"),
        ({"std": [0.0]}, "std is a divisor"),
        ({"scale": float("nan")}, "scale is a number"),
        ({"resize": "bicubic"}, "resize is one of keras, nearest, lanczos-fit, pad, crop, not 'bicubic'"),
        ({"activation": "relu"}, "activation is one of"),
        ({"exif": "yes"}, "exif is true or false"),
        ({"size": 0}, "size is a number of pixels, or height and width, not 0"),
        ({"size": (224, 225)}, r"the input \(None, 224, 224, 3\) is not of 224 × 225 pixels"),
    ],
    ids=str,
)
def test_options_that_do_not_fit(options: dict[str, Any], reason: str, classifier: Made) -> None:
    with pytest.raises(InputError, match=reason):
        classifier(**options)


def test_decisions_as_text_and_plain_data(classifier: Made, weights: Path) -> None:
    weights.with_suffix(".json").write_text('{"labels": ["cat", "dog"], "resize": "crop", "exif": true}')
    made = classifier(name="vgg16", classes=2)
    assert str(made.decisions) == (
        "size 224 × 224, resize crop, preprocess caffe, invert no, exif honoured, labels names, scores softmax"
    )
    sidecar = str(weights.with_suffix(".json"))
    assert made.decisions.to_dict() == {
        "size": {"value": "224 × 224", "reason": "the model's input"},
        "resize": {"value": "crop", "reason": sidecar},
        "preprocess": {"value": "caffe", "reason": "vgg16 is a model of keras.applications"},
        "invert": {"value": "no", "reason": "the default"},
        "exif": {"value": True, "reason": sidecar},
        "labels": {"value": "names", "reason": sidecar},
        "scores": {"value": "softmax", "reason": "the model ends in softmax"},
    }
    json.dumps(made.decisions.to_dict())


def test_labels_in_their_order(classifier: Made, weights: Path) -> None:
    def found(**options: Any) -> tuple[str, ...]:
        return classifier(classes=2, **options).classes

    folder = weights.parent
    assert found() == ("0", "1")
    (folder / "class_names.txt").write_text("c\nn\n")
    assert found() == ("c", "n")
    (folder / "labels.txt").write_text("0 l\n1 t\n")
    assert found() == ("l", "t")
    weights.with_suffix(".json").write_text('["s", "c"]')
    assert found() == ("s", "c")
    (folder / "other.csv").write_text("index,name\n1,b\n0,a\n")
    assert found(labels=folder / "other.csv") == ("a", "b")
    for given in (["x", "y"], np.array(["x", "y"]), {1: "y", 0: "x"}, {"y": 1, "x": 0}):
        assert found(labels=given) == ("x", "y")


@pytest.mark.parametrize("name", ["labels.txt", "class_names.txt"])
def test_a_list_beside_the_weights_must_fit(name: str, classifier: Made, weights: Path) -> None:
    (weights.parent / name).write_text("a\nb\nc\n")
    with pytest.raises(InputError, match=rf"{name}: 3 labels for the 2 classes of .*m\.h5"):
        classifier(classes=2)


def test_names_of_imagenet(classifier: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert classifier(name="vgg16", classes=1000).classes[1] == "1"
    (tmp_path / "models").mkdir()
    index = {str(i): [f"n{i:08}", f"thing {i}"] for i in range(1000)}
    (tmp_path / "models" / "imagenet_class_index.json").write_text(json.dumps(index))
    assert classifier(name="vgg16", classes=1000).classes[999] == "thing 999"
    assert classifier(name="vgg16", classes=10).classes[9] == "9"
    assert classifier(name="mine", classes=1000).classes[999] == "999"
