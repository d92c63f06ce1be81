"""The Classifier: what it feeds its model, and what it makes of the answer."""

import io
import json
import logging
import random
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.classify import Classifier, Result, Score
from engine.errors import ImageError, InputError
from engine.images.preprocess import PREPROCESS
from engine.images.resize import RESIZE
from tests.fake_model import FakeModel

DIGIT = np.zeros((28, 28), np.uint8)
DIGIT[10:20, 5:22] = np.arange(170, dtype=np.uint8).reshape(10, 17) + 80
PHOTO = np.random.default_rng(3).integers(0, 256, (50, 40, 3), dtype=np.uint8)


def grey(value: int) -> np.ndarray:
    return np.full((28, 28), value, np.uint8)


def constant(*output: float) -> Any:
    return lambda x: [output] * len(x)


def layer(class_name: str, name: str = "layer", **config: Any) -> SimpleNamespace:
    return SimpleNamespace(name=name, class_name=class_name, config=config, layers=())


def nested(name: str, *layers: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(name=name, class_name="Functional", config={}, layers=layers)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Installs a FakeModel made of the arguments."""
    return lambda *args, **kwargs: FakeModel(*args, **kwargs).install(monkeypatch)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tmp_path / "m.h5"


def test_one_image(fake: Any, weights: Path) -> None:
    fake()
    result = Classifier(weights, top_k=3)(grey(102))
    assert (result.label, result.index) == ("4", 4)
    assert result.score == pytest.approx(0.91)
    assert [score.index for score in result.top] == [4, 0, 1]
    assert result.top[0] == Score(result.label, result.score, result.index)


def test_to_dict_is_json(fake: Any, weights: Path) -> None:
    fake(constant(0.25, 0.75), output_shape=(None, 2))
    values = Classifier(weights, labels=["a", "b"])(DIGIT).to_dict()
    top = [{"label": "b", "score": 0.75, "index": 1}, {"label": "a", "score": 0.25, "index": 0}]
    assert values == {"label": "b", "score": 0.75, "index": 1, "top": top}
    assert json.loads(json.dumps(values)) == values


def test_all_kinds_of_images_are_fed_alike(fake: Any, weights: Path, tmp_path: Path) -> None:
    model = fake()
    path = tmp_path / "digit.png"
    Image.fromarray(DIGIT).save(path)
    classifier = Classifier(weights)
    images = [path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), Image.open(path), DIGIT]
    images += [DIGIT[..., None], DIGIT.astype(np.float32), np.stack([DIGIT] * 3, axis=2)]
    assert len(set(classifier.classify(images))) == 1
    expected = (DIGIT / np.float32(255)).astype(np.float32)[..., None]
    assert all(np.array_equal(x, expected) for batch in model.batches for x in batch)
    np.testing.assert_allclose(classifier.model.batches[0][0], expected)
    classifier(DIGIT / 255)
    np.testing.assert_allclose(model.batches[-1][0], expected, rtol=1e-6)


@pytest.mark.parametrize("way", sorted(RESIZE))
@pytest.mark.parametrize("mode", sorted(PREPROCESS))
def test_photos_are_resized_and_preprocessed(mode: str, way: str, fake: Any, weights: Path) -> None:
    model = fake(input_shape=(None, 8, 9, 3))
    Classifier(weights, preprocess=mode, resize=way, invert="no")(PHOTO)
    assert np.array_equal(model.batches[0][0], PREPROCESS[mode](RESIZE[way](PHOTO, 8, 9)))


@pytest.mark.parametrize("channels", [1, 3])
def test_inputs_that_hold_an_image_otherwise(channels: int, fake: Any, weights: Path) -> None:
    pixels = PHOTO[..., :channels]
    model = fake(input_shape=(None, channels, 50, 40))
    Classifier(weights, preprocess="none")(pixels)
    assert np.array_equal(model.batches[0][0], pixels.transpose(2, 0, 1))
    model = fake(input_shape=(None, 50 * 40 * channels))
    Classifier(weights, preprocess="none", size=(50, 40))(pixels)
    assert np.array_equal(model.batches[0][0], pixels.reshape(-1))


def test_an_input_without_channels(fake: Any, weights: Path) -> None:
    model = fake(input_shape=(None, 28, 28))
    Classifier(weights)(DIGIT)
    assert np.array_equal(model.batches[0][0], DIGIT / np.float32(255))


@pytest.mark.parametrize(
    "options",
    [
        {"input_shape": (None, 10)},
        {"input_shape": (None, 28, 28, 2)},
        {"input_shape": (None, 1, 28, 28, 1)},
        {"input_shape": [(None, 28, 28, 1), (None, 3)]},
        {"output_shape": (None, 4, 4, 10)},
        {"output_shape": [(None, 10), (None, 2)]},
    ],
    ids=str,
)
def test_models_that_classify_no_images(options: dict[str, Any], fake: Any, weights: Path) -> None:
    fake(**options)
    with pytest.raises(InputError) as caught:
        Classifier(weights)
    ((_, shape),) = options.items()
    assert str(caught.value).startswith(str(weights))
    assert str(caught.value).endswith(f"not {shape}")


LOGITS = np.array([1.0, -2.0, 3.5])


@pytest.mark.parametrize(
    ("head", "from_logits", "expected"),
    [
        ("linear", True, np.exp(LOGITS) / np.exp(LOGITS).sum()),
        ("linear", False, LOGITS),
        ("relu", False, LOGITS),
        ("softmax", False, LOGITS),
        ("softmax", True, LOGITS),
        ("sigmoid", False, LOGITS),
        ("sigmoid", True, LOGITS),
    ],
)
def test_heads(head: str, from_logits: bool, expected: Sequence[float], fake: Any, weights: Path) -> None:
    fake(constant(*LOGITS), output_shape=(None, 3), head=head, from_logits=from_logits)
    result = Classifier(weights)(DIGIT)
    assert [score.index for score in result.top] == [2, 0, 1]
    found = sorted(score.score for score in result.top)
    np.testing.assert_allclose(found, sorted(expected), rtol=1e-12)


@pytest.mark.parametrize(
    ("head", "from_logits", "output", "probability"),
    [("sigmoid", False, 0.875, 0.875), ("linear", True, 0.0, 0.5), ("linear", True, -1.5, 0.18242552380635635)],
)
def test_one_unit_answers_for_two_classes(
    head: str, from_logits: bool, output: float, probability: float, fake: Any, weights: Path
) -> None:
    fake(constant(output), output_shape=(None, 1), head=head, from_logits=from_logits)
    classifier = Classifier(weights, labels=["cat", "dog"])
    scores = {score.label: score.score for score in classifier(DIGIT).top}
    assert scores == pytest.approx({"cat": 1 - probability, "dog": probability}, rel=1e-12)


@pytest.mark.parametrize(("units", "logits"), [(1, -1e4), (1, 1e4), (3, -1e4), (3, 1e4)])
@pytest.mark.filterwarnings("error")
def test_huge_logits_do_not_overflow(units: int, logits: float, fake: Any, weights: Path) -> None:
    fake(constant(*[logits] * units), output_shape=(None, units), head="linear", from_logits=True)
    scores = [score.score for score in Classifier(weights)(DIGIT).top]
    assert sum(scores) == pytest.approx(1)


def test_raw_scores_are_announced(fake: Any, weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    fake(head="linear")
    Classifier(weights)
    assert "its scores are no probabilities" in caplog.text


def test_equal_scores_keep_the_order_of_the_classes(fake: Any, weights: Path) -> None:
    fake(constant(0.2, 0.4, 0.4), output_shape=(None, 3))
    assert [score.index for score in Classifier(weights)(DIGIT).top] == [1, 2, 0]


@pytest.mark.parametrize(("top_k", "count"), [(1, 1), (3, 3), (99, 10)])
def test_top_k(top_k: int, count: int, fake: Any, weights: Path) -> None:
    fake()
    assert len(Classifier(weights, top_k=top_k)(DIGIT).top) == count


def test_labels_come_from_the_option_then_the_sidecar_then_indices(fake: Any, weights: Path, tmp_path: Path) -> None:
    fake(constant(0.1, 0.9), output_shape=(None, 2))
    assert Classifier(weights).classes == ("0", "1")
    weights.with_suffix(".json").write_text('{"labels": ["side", "car"]}')
    assert Classifier(weights).classes == ("side", "car")
    (tmp_path / "labels.txt").write_text("from\nfile\n")
    assert Classifier(weights, labels=tmp_path / "labels.txt").classes == ("from", "file")
    assert Classifier(weights, labels=str(tmp_path / "labels.txt"))(DIGIT).label == "file"
    assert Classifier(weights, labels=["a", "b"]).classes == ("a", "b")


def test_a_wrong_number_of_labels_names_both(fake: Any, weights: Path, tmp_path: Path) -> None:
    fake()
    path = tmp_path / "labels.txt"
    path.write_text("a\nb\n")
    with pytest.raises(InputError, match=r"labels\.txt: 2 labels for the 10 classes of .*m\.h5"):
        Classifier(weights, labels=path)
    weights.with_suffix(".json").write_text('{"labels": ["a"]}')
    with pytest.raises(InputError, match=r"m\.json: 1 labels for the 10 classes of .*m\.h5"):
        Classifier(weights)


def test_preprocess_comes_from_the_option_then_the_sidecar_then_the_model(fake: Any, weights: Path) -> None:
    fake(input_shape=(None, 28, 28, 3), layer_types=["InputLayer", "Rescaling", "Conv2D"])
    assert Classifier(weights).preprocess == "none"
    model = fake()
    assert Classifier(weights).preprocess == "unit"
    model.layers = [nested("outer", nested("inner", layer("Normalization")))]
    assert Classifier(weights).preprocess == "none"
    weights.with_suffix(".json").write_text('{"preprocess": "tf"}')
    assert Classifier(weights).preprocess == "tf"
    assert Classifier(weights, preprocess="none").preprocess == "none"


@pytest.mark.parametrize("shape", [(None, 65, 28, 1), (None, 32, 32, 3)])
def test_an_unknown_scale_is_announced(shape: Any, fake: Any, weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    fake(input_shape=shape)
    assert Classifier(weights).preprocess == "none"
    assert "does not say how its images were scaled" in caplog.text
    assert "--preprocess" in caplog.text


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"preprocess": "caffe"}, "needs an input of 3 channels, this one has 1"),
        ({"preprocess": "vgg"}, "preprocess is one of .*, not 'vgg'"),
        ({"invert": "maybe"}, "invert is one of no, yes, auto, not 'maybe'"),
    ],
)
def test_bad_options(options: dict[str, Any], reason: str, fake: Any, weights: Path) -> None:
    fake()
    with pytest.raises(InputError, match=reason):
        Classifier(weights, **options)


@pytest.mark.parametrize(("invert", "fed"), [("no", DIGIT), ("yes", 255 - DIGIT), ("auto", DIGIT)])
def test_inversion(invert: str, fed: np.ndarray, fake: Any, weights: Path) -> None:
    model = fake()
    Classifier(weights, invert=invert)(DIGIT)
    assert np.array_equal(model.batches[0][0, ..., 0], fed / np.float32(255))


def test_dark_on_light_is_turned_by_auto_and_the_sidecar(fake: Any, weights: Path) -> None:
    model = fake()
    Classifier(weights, invert="auto")(255 - DIGIT)
    weights.with_suffix(".json").write_text('{"invert": "auto"}')
    Classifier(weights)(255 - DIGIT)
    for batch in model.batches:
        assert np.array_equal(batch[0, ..., 0], DIGIT / np.float32(255))


def test_dark_on_light_is_announced_once(fake: Any, weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = fake()
    classifier = Classifier(weights)
    classifier.classify([DIGIT, 255 - DIGIT, 255 - DIGIT])
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "--invert" in record.getMessage()
    assert np.array_equal(model.batches[0][1, ..., 0], (255 - DIGIT) / np.float32(255))


@pytest.mark.parametrize("options", [{"invert": "no"}, {"invert": "auto"}])
def test_no_announcement_where_somebody_decided(
    options: dict[str, str], fake: Any, weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake()
    Classifier(weights, **options)(255 - DIGIT)
    assert not caplog.records


def test_a_broken_image_stops_no_other(fake: Any, weights: Path) -> None:
    model = fake()
    images = [grey(51), b"broken", grey(102), b"", b"", b"", grey(204)]
    pairs = list(Classifier(weights).stream(images, batch_size=2))
    assert [image for image, _ in pairs] == images
    outcomes = [outcome.index if isinstance(outcome, Result) else type(outcome) for _, outcome in pairs]
    assert outcomes == [2, ImageError, 4, ImageError, ImageError, ImageError, 8]
    assert [len(batch) for batch in model.batches] == [1, 1, 1]


def test_classify_raises_the_first_error(fake: Any, weights: Path) -> None:
    fake()
    with pytest.raises(ImageError, match="not an image"):
        Classifier(weights).classify([DIGIT, b"broken"])


def test_stream_holds_one_batch(fake: Any, weights: Path) -> None:
    model = fake()
    taken = 0

    def images() -> Iterator[np.ndarray]:
        nonlocal taken
        for value in range(100):
            taken += 1
            yield grey(value)

    stream = Classifier(weights).stream(images(), batch_size=8)
    for done, _ in enumerate(stream, 1):
        assert done <= taken <= (done + 7) // 8 * 8
    assert [len(batch) for batch in model.batches] == [8] * 12 + [4]


def test_threads_that_decode_ahead_change_nothing(fake: Any, weights: Path) -> None:
    fake()
    classifier, images = Classifier(weights), [b"broken", *map(grey, range(0, 250, 7))]
    alone, together = (list(classifier.stream(images, 5, workers=workers)) for workers in (0, 3))
    assert [str(outcome) for _, outcome in together] == [str(outcome) for _, outcome in alone]
    assert all(mine is theirs for (mine, _), (theirs, _) in zip(together, alone, strict=True))


def test_misuse_of_stream(fake: Any, weights: Path) -> None:
    fake()
    classifier = Classifier(weights)
    assert classifier.classify([]) == []
    with pytest.raises(InputError, match="iterable of images"):
        classifier.classify("digit.png")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="batch_size is at least 1"):
        classifier.classify([DIGIT], batch_size=0)


def test_threads_share_a_classifier(fake: Any, weights: Path) -> None:
    fake()
    classifier = Classifier(weights)
    values = [value % 256 for value in range(0, 4000, 13)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda value: classifier(grey(value)), values))
    assert [result.index for result in results] == [min(round(value / 25.5), 9) for value in values]


@pytest.mark.parametrize("row", [[np.nan] * 3, [np.nan, 0.9, 0.1], [0.1, 0.9, np.nan]], ids=str)
def test_a_score_that_is_no_number_names_no_class(row: list[float], fake: Any, weights: Path) -> None:
    fake(lambda x: [row if image.max() == 0 else [0.2, 0.7, 0.1] for image in x], output_shape=(None, 3))
    classifier = Classifier(weights)
    outcomes = [outcome for _, outcome in classifier.stream([grey(9), grey(0), grey(9)])]
    assert [type(outcome) for outcome in outcomes] == [Result, ImageError, Result]
    with pytest.raises(ImageError, match="NaN"):
        classifier(grey(0))
    assert np.isnan(classifier.predict_proba([grey(0), grey(9)])).any(axis=1).tolist() == [True, False]


def test_several_labels_at_once(fake: Any, weights: Path) -> None:
    fake(constant(0.25, 0.875, 0.5), output_shape=(None, 3), head="sigmoid")
    classifier = Classifier(weights, labels=["a", "b", "c"], multi_label=True, top_k=1)
    assert classifier.multi_label
    result = classifier(DIGIT)
    assert [(score.label, score.score) for score in result.top] == [("b", 0.875), ("c", 0.5), ("a", 0.25)]
    assert classifier.predict_proba([DIGIT]).tolist() == [[0.25, 0.875, 0.5]]


def test_probabilities_for_scikit_learn(fake: Any, weights: Path) -> None:
    fake(constant(0.25), output_shape=(None, 1), head="sigmoid")
    classifier = Classifier(weights, labels=["cat", "dog"])
    probabilities = classifier.predict_proba([DIGIT] * 5, batch_size=2)
    assert probabilities.tolist() == [[0.75, 0.25]] * 5
    assert classifier.classes_[probabilities.argmax(axis=1)].tolist() == ["cat"] * 5
    assert classifier.predict_proba([]).shape == (0, 2)
    assert classifier.predict_proba(np.stack([DIGIT] * 3)).shape == (3, 2)
    assert classifier.predict_proba(grey(value) for value in range(7)).shape == (7, 2)
    with pytest.raises(ImageError, match="not an image"):
        classifier.predict_proba([DIGIT, b"broken"])
    with pytest.raises(InputError, match="iterable of images"):
        classifier.predict_proba("digit.png")  # type: ignore[arg-type]


def test_raw_scores_are_no_probabilities(fake: Any, weights: Path) -> None:
    fake(constant(*LOGITS), output_shape=(None, 3), head="linear")
    with pytest.raises(InputError, match='activation="softmax"'):
        Classifier(weights).predict_proba([DIGIT])
    (row,) = Classifier(weights, activation="softmax").predict_proba([DIGIT])
    np.testing.assert_allclose(row, np.exp(LOGITS) / np.exp(LOGITS).sum())


def test_exif_is_honoured_on_demand(fake: Any, weights: Path) -> None:
    model = fake(input_shape=(None, 50, 40, 3))
    exif = Image.Exif()
    exif[0x0112] = 3
    file = io.BytesIO()
    Image.fromarray(PHOTO).save(file, "PNG", exif=exif)
    for turned in (None, True):
        Classifier(weights, preprocess="none", exif=turned)(file)
    assert np.array_equal(model.batches[0][0], PHOTO)
    assert np.array_equal(model.batches[1][0], PHOTO[::-1, ::-1])


def test_a_model_from_bytes_has_no_sidecar(fake: Any) -> None:
    fake()
    classifier = Classifier(b"no HDF5", labels=list("abcdefghij"))
    assert classifier(grey(102)).label == "e"
    with pytest.raises(InputError, match=r"labels: 1 labels for the 10 classes of <7 bytes>"):
        Classifier(b"no HDF5", labels=["a"])


def test_nothing_of_the_host_changes(fake: Any, weights: Path, tmp_path: Path) -> None:
    def state() -> tuple[Any, ...]:
        root = logging.getLogger()
        numbers = random.getstate(), repr(np.random.get_state()), np.geterr(), np.get_printoptions()
        return Image.MAX_IMAGE_PIXELS, list(warnings.filters), root.level, list(root.handlers), numbers

    fake(constant(np.nan, 0.5), output_shape=(None, 2))
    (tmp_path / "labels.txt").write_text("0 a\n1 b")
    before = state()
    classifier = Classifier(weights, exif=True, resize="lanczos-fit")
    assert len(list(classifier.stream([DIGIT, PHOTO, b"broken"]))) == 3
    classifier.predict_proba([DIGIT])
    assert state() == before
