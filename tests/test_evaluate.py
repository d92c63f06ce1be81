"""`evaluate`: what it counts, which data it takes, and how it shows what it found."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import engine
from engine.classify import Classifier
from engine.confusion import as_png, as_text
from engine.errors import InputError
from engine.evaluation import Evaluation, evaluate
from tests.fake_model import FakeModel

TENTHS = [0, 51, 102, 153, 204, 229]
"""Grey values that the fake model takes for classes 0, 2, 4, 6, 8 and 9."""


def grey(value: int) -> np.ndarray:
    return np.full((28, 28), value, np.uint8)


@pytest.fixture
def classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Classifier]:
    def make(*args: Any, labels: Any = None, multi_label: bool | None = None, **options: Any) -> Classifier:
        FakeModel(*args, **options).install(monkeypatch)
        return Classifier(tmp_path / "m.h5", labels=labels, multi_label=multi_label, invert="no")

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images of class 4, of which one is taken for 6; two of class 9, of which one cannot be read."""
    root = tmp_path / "data"
    for name, values in {"4": (102, 102, 153), "9": (229,)}.items():
        (root / name / "deeper").mkdir(parents=True)
        for i, value in enumerate(values):
            Image.fromarray(grey(value)).save(root / name / ("deeper" if i else ".") / f"{i}.png")
    (root / "9" / "broken.png").write_bytes(b"\x89PNG")
    (root / "9" / "notes.txt").write_text("no image")
    (root / ".hidden").mkdir()
    return root


def test_a_folder(classifier: Any, folder: Path) -> None:
    found = evaluate(classifier(labels=[str(i) for i in range(10)]), folder, batch_size=2)
    expected = np.zeros((10, 10), int)
    expected[4, 4], expected[4, 6], expected[9, 9] = 2, 1, 1
    assert np.array_equal(found.confusion, expected)
    assert (found.images, found.correct, found.accuracy) == (4, 3, 0.75)
    assert found.among_top == 3  # in the fake model's answers all classes but one are equal, and 4 goes before 5 to 9
    assert [(Path(name).name, reason.split(":")[0]) for name, reason in found.failed] == [
        ("broken.png", "not an image (JPEG, PNG, WEBP, BMP, GIF, TIFF)")
    ]
    four, six, nine = (found.per_class[i] for i in (4, 6, 9))
    assert (four.images, four.predicted, four.correct, four.recall, four.precision, four.f1) == (3, 2, 2, 2 / 3, 1, 0.8)
    assert (six.images, six.predicted, six.recall, six.precision, six.f1) == (0, 1, None, 0, 0)
    assert (nine.recall, nine.precision, nine.f1) == (1, 1, 1)
    assert (found.per_class[0].recall, found.per_class[0].precision, found.per_class[0].f1) == (None, None, None)


def test_threads_change_nothing(classifier: Any, folder: Path) -> None:
    model, outcomes = classifier(), []
    alone, together = evaluate(model, folder), evaluate(model, folder, workers=3, batch_size=1, each=outcomes.append)
    assert alone.to_dict() == together.to_dict()
    assert sorted(outcomes) == [False] * 4 + [True]


def test_plain_data(classifier: Any, folder: Path) -> None:
    values = evaluate(classifier(), folder).to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["accuracy"] == 0.75
    assert values["classes"][4] == {
        "label": "4", "images": 3, "predicted": 2, "correct": 2, "recall": 2 / 3, "precision": 1.0, "f1": 0.8
    }  # fmt: skip
    assert values["confusion"][4][6] == 1
    assert list(values["failed"][0]) == ["path", "error"]


def test_folders_are_matched_by_name_not_by_order(classifier: Any, tmp_path: Path) -> None:
    root = tmp_path / "data"
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    for name, value in (("six", 153), ("two", 51)):
        (root / name).mkdir(parents=True)
        Image.fromarray(grey(value)).save(root / name / "a.png")
    found = evaluate(classifier(labels=names), root)
    assert found.classes == tuple(names)
    assert found.accuracy == 1


def test_folders_of_unnamed_classes_are_in_kerass_order(classifier: Any, tmp_path: Path) -> None:
    root = tmp_path / "data"
    for name in "jihgfedcba":
        (root / name).mkdir(parents=True)
    Image.fromarray(grey(153)).save(root / "g" / "a.png")
    found = evaluate(classifier(), root)
    assert found.classes == tuple("abcdefghij")
    assert found.accuracy == 1
    with pytest.raises(InputError, match="'a' is no class; they are 0, 1, 2"):
        evaluate(classifier(labels=list(map(str, range(10)))), root)


@pytest.mark.parametrize("names", [["x"], [str(i) for i in range(9)] + ["x", "y"]], ids=["few", "many"])
def test_folders_that_are_no_classes(names: list[str], classifier: Any, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / "data" / name).mkdir(parents=True)
    with pytest.raises(InputError, match="data: 'x' is no class"):
        evaluate(classifier(), tmp_path / "data")


def test_a_folder_without_folders(classifier: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match="data: has no folders"):
        evaluate(classifier(), tmp_path / "data")


X = np.stack([grey(value) for value in TENTHS])
Y = np.array([0, 2, 4, 6, 8, 0])
ONE_HOT = np.eye(10)[Y]


@pytest.mark.parametrize(
    "y",
    [Y, Y.astype(np.uint8), Y.astype(float), Y[:, None], ONE_HOT, ONE_HOT.astype(int), Y.astype(str), Y.tolist()],
    ids=["int", "uint8", "float", "column", "one-hot", "one-hot-int", "names", "list"],
)
@pytest.mark.parametrize("x", [X, X[..., None], X / 255, X.astype(float)], ids=["grey", "channel", "to-one", "float"])
def test_arrays(x: np.ndarray, y: Any, classifier: Any) -> None:
    found = evaluate(classifier(), (x, y))
    assert (found.images, found.correct, found.accuracy) == (6, 5, 5 / 6)
    assert found.confusion[0, 9] == 1
    assert found.top5_accuracy == 1


@pytest.mark.parametrize("keys", [("x", "y"), ("x_test", "y_test")])
def test_npz(keys: tuple[str, str], classifier: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{keys[0]: X, keys[1]: Y, "x_train": X[:1]})
    assert evaluate(classifier(), tmp_path / "a.npz").correct == 5


def test_one_unit(classifier: Any) -> None:
    model = classifier(lambda x: [[image.mean()] for image in x], output_shape=(None, 1), head="sigmoid")
    found = evaluate(model, (X, np.array([0, 0, 0, 1, 1, 0]) > 0))
    assert found.confusion.tolist() == [[3, 1], [0, 2]]
    assert found.among_top is found.top5_accuracy is None


def test_answers_of_nan_count_as_failed(classifier: Any) -> None:
    found = evaluate(classifier(lambda x: [[np.nan, 1]] * len(x), output_shape=(None, 2)), (X[:2], [0, 1]))
    assert (found.images, found.accuracy) == (0, None)
    assert [name for name, _ in found.failed] == ["the data[0]", "the data[1]"]
    assert "NaN" in found.failed[0][1]


def test_equal_scores_take_places_in_the_order_of_the_classes(classifier: Any) -> None:
    model = classifier(lambda x: [[0.1] * 4 + [0.2] * 6] * len(x), output_shape=(None, 10))
    found = evaluate(model, (X[[0] * 10], range(10)))
    assert found.confusion[:, 4].tolist() == [1] * 10
    assert found.among_top == 5


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (X[0], Y, r"images are \(n, h, w\)"),
        (X, Y[:3], r"6 images, but classes of shape \(3,\)"),
        (X, 3, r"classes of shape \(\)"),
        (X, Y + 2, "classes are 0 to 9, not 2 to 10"),
        (X, Y - 1, "classes are 0 to 9, not -1 to 7"),
        (X, Y + 0.5, "indices or names, not float64"),
        (X, ONE_HOT[:, :9], r"\(n, 10\), not \(6, 9\)"),
        (X, ONE_HOT * 0.5, r"\(n, 10\), not \(6, 10\)"),
        (X, np.ones((6, 10)), r"\(n, 10\), not \(6, 10\)"),
        (X, ["0", "2", "4", "6", "8", "ten"], "'ten' is no class"),
    ],
    ids=range(10),
)
def test_arrays_that_do_not_fit(x: Any, y: Any, reason: str, classifier: Any) -> None:
    with pytest.raises(InputError, match=f"^the data: .*{reason}"):
        evaluate(classifier(), (x, y))


def test_files_that_do_not_fit(classifier: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "keys.npz", a=X, y=Y)
    np.savez(tmp_path / "objects.npz", x=X, y=np.array([{}], dtype=object))
    np.save(tmp_path / "one.npy", X)
    (tmp_path / "text.npz").write_text("no archive")
    for name, reason in {
        "keys.npz": "expected arrays x and y, found a, y",
        "objects.npz": "cannot be read as .npz: Object arrays",
        "one.npy": "cannot be read as .npz: File is not a zip file",
        "text.npz": "cannot be read as .npz",
        "none.npz": "cannot be read as .npz: No such file",
    }.items():
        with pytest.raises(InputError, match=rf"{name}: {reason}") as caught:
            evaluate(classifier(), tmp_path / name)
        assert "\n" not in str(caught.value)


def test_several_labels_at_once_are_refused(classifier: Any) -> None:
    model = classifier(output_shape=(None, 3), head="sigmoid", multi_label=True)
    with pytest.raises(InputError, match="several labels at once"):
        evaluate(model, (X, Y))


def test_the_shipped_model_from_its_path() -> None:
    root = Path(__file__).parents[1]
    samples = sorted((root / "samples").glob("*_*.*"))
    x = [np.asarray(Image.open(path).convert("L").resize((28, 28))) for path in samples]
    found = engine.evaluate(root / "weights" / "mnist.h5", (np.stack(x), [int(path.name[0]) for path in samples]))
    assert isinstance(found, engine.Evaluation)
    assert found.images == len(samples)
    assert found.accuracy is not None
    assert found.accuracy > 0.9


THREE = Evaluation(("cat", "dog", "été"), np.array([[8, 2, 0], [0, 5, 0], [0, 0, 0]]), None, ())


def test_text() -> None:
    assert list(as_text(THREE)) == [
        "accuracy 0.8667 (13 of 15)",
        "",
        "class  images  correct  recall  precision      f1",
        "cat        10        8  0.8000     1.0000  0.8889",
        "dog         5        5  1.0000     0.7143  0.8333",
        "été         0        0       –          –       –",
        "",
        "of the class in the row, taken for the class in the column:",
        "     cat  dog  été",
        "cat    8    2    0",
        "dog    0    5    0",
        "été    0    0    0",
    ]


def test_of_many_classes_the_worst_confusions_are_shown() -> None:
    confusion = np.eye(40, dtype=int) * 100
    confusion[3, 5], confusion[7, 1] = 9, 12
    lines = list(as_text(Evaluation(tuple(f"c{i}" for i in range(40)), confusion, 4000, ())))
    assert lines[1] == "top-5 accuracy 0.9948 (4,000 of 4,021)"
    assert lines[-4:] == [
        "most often confused:",
        "class  taken for  images",
        "c7            c1      12",
        "c3            c5       9",
    ]


def test_no_images() -> None:
    lines = list(as_text(Evaluation(("a", "b"), np.zeros((2, 2), int), None, ())))
    assert lines[0] == "accuracy – (0 of 0)"


def cells(data: bytes, count: int) -> np.ndarray:
    """The grey value of the corner of every cell, which no figure covers."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    dark = np.flatnonzero(pixels[:, pixels.shape[1] // 2 + 3] < 60)
    start, end = int(dark[0]) + 1, pixels.shape[0] - 8
    size = (end - start) // count
    return pixels[start + 2 : end : size, start + 2 : end : size]


def test_picture() -> None:
    shades = cells(as_png(THREE), 3)
    assert shades.shape == (3, 3)
    assert shades[1, 1] < shades[0, 0] < 120
    assert 180 < shades[0, 1] < 255
    assert (shades[2] == 255).all()
    assert shades[0, 2] == shades[1, 0] == 255


@pytest.mark.parametrize("count", [1, 2, 30, 31, 90, 1000])
def test_pictures_of_any_number_of_classes(count: int) -> None:
    labels = tuple(f"{'a long name ' * (i % 4)}{i} 猫" for i in range(count))
    image = Image.open(io.BytesIO(as_png(Evaluation(labels, np.eye(count, dtype=int) * 12345, None, ()))))
    assert image.size[0] == image.size[1] < 1300
