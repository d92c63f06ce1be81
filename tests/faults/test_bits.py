"""One image's bits are the same in any company, in any layout of memory, on any threads; and what no array can be."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import engine
from engine.errors import InputError, LimitExceededError
from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits
from engine.runtime import processors
from tests.frontend.handmade import layer, sequential, write
from tests.golden import in_order, load, models
from tests.processes import ROOT, run_python

X = np.random.default_rng(1).random((9, 28, 28, 1), np.float32)
LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=0)[::2],
    "strided inside": lambda x: np.repeat(np.repeat(x, 2, axis=1), 3, axis=2)[:, ::2, ::3],
    "negative strides": lambda x: x[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "transposed": lambda x: np.ascontiguousarray(x.transpose(3, 2, 1, 0)).transpose(3, 2, 1, 0),
    "big-endian": lambda x: x.astype(">f4"),
    "float64": lambda x: x.astype(np.float64),
    "not aligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
    "a subclass": lambda x: x.view(np.matrix) if x.ndim == 2 else x.view(type("Own", (np.ndarray,), {})),
    "a list": lambda x: x.tolist(),
}


def read_only(x: NDArray[Any]) -> NDArray[Any]:
    x = x.copy()
    x.flags.writeable = False
    return x


@pytest.mark.parametrize("layout", [*LAYOUTS.values(), read_only], ids=[*LAYOUTS, "read-only"])
@pytest.mark.parametrize("name", ["mnist.h5", "mnist_dense.h5"])
def test_layouts_of_memory(name: str, layout: Callable[[NDArray[Any]], Any]) -> None:
    model = engine.load_model(ROOT / "weights" / name)
    for n in (1, 9):
        expected = model.predict(X[:n].copy())
        x = layout(X[:n])
        np.testing.assert_array_equal(model.predict(x), expected)
        np.testing.assert_array_equal(model(x), expected)
        np.testing.assert_array_equal(np.asarray(x), X[:n])


def test_one_image_many_times_without_memory_of_its_own() -> None:
    model = engine.load_model(ROOT / "weights" / "mnist.h5")
    answer = model.predict(np.broadcast_to(X[3], (100, 28, 28, 1)))
    np.testing.assert_array_equal(answer, np.repeat(model.predict(X[3:4]), 100, axis=0))


@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_golden_models_in_any_company(step: int) -> None:
    threads = range(1, 2 * processors.available_threads() + 1)
    for path in models()[::step]:
        golden, random = load(path), np.random.default_rng(0)
        x = [np.concatenate([a] * 3) for a in golden.inputs]
        order = random.permutation(len(x[0]))
        expected = in_order(engine.load_model(path, threads=1).predict(x if len(x) > 1 else x[0]))
        for count in threads:
            model = engine.load_model(path, threads=count)
            for size in (1, 2, len(x[0])):
                shuffled = [a[order] for a in x]
                found = in_order(model.predict(shuffled if len(x) > 1 else shuffled[0], batch_size=size))
                for y, right in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(y, right[order], f"{path.stem}: {count} threads, batches of {size}")


WITHIN = """
import hashlib, sys
import numpy as np
import engine
from engine.plan.machine import this_machine
from engine.runtime import workspace
workspace._WORTH_WAKING = 0.0
assert this_machine().isa.name == {isa!r}
x = np.random.default_rng(0).random((33, 28, 28, 1), np.float32)
for name in ("mnist.h5", "mnist_dense.h5"):
    seen = set()
    for threads in (1, 2, 3, 4):
        model = engine.load_model("weights/" + name, threads=threads)
        for size in (1, 5, 32):
            seen.add(hashlib.sha256(model.predict(x, batch_size=size).tobytes()).hexdigest())
    assert len(seen) == 1, (name, seen)
    print(seen.pop())
"""


@pytest.mark.parametrize("isa", [isa for isa in ISAS if fits(isa)], ids=lambda isa: isa.name)
def test_each_instruction_set_has_bits_of_its_own(isa: Isa) -> None:
    first = run_python(WITHIN.format(isa=isa.name), {"ENGINE_ISA": isa.name}).stdout
    assert first == run_python(WITHIN.format(isa=isa.name), {"ENGINE_ISA": isa.name}).stdout
    assert len(first.split()) == 2
    assert all(len(digest) == 2 * hashlib.sha256().digest_size for digest in first.split())


def test_no_images_make_no_answers() -> None:
    model = engine.load_model(ROOT / "weights" / "mnist.h5")
    empty = np.empty((0, 28, 28, 1), np.float32)
    for answer in (model.predict(empty), model(empty), model.predict(empty, batch_size=1)):
        assert answer.shape == (0, 10)
        assert answer.dtype == np.float32


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 28, 27, 1), np.float32), r"expected shape .*28, 28, 1.*, found \(2, 28, 27, 1\)"),
        (np.zeros((28, 28, 3), np.float32), r"expected shape .*28, 28, 1"),
        (np.float32(3), "expected shape"),
        (np.zeros((1, 28, 28, 1), complex), "expected numbers, found .*complex128"),
        (np.zeros((1, 28, 28, 1), object), "expected numbers, found .*object"),
        (np.zeros((1, 28, 28, 1), "U3"), "expected numbers, found .*<U3"),
        (np.zeros((1, 28, 28, 1), "M8[s]"), "expected numbers, found .*datetime64"),
        (None, "expected an array, found NoneType"),
        ("image.png", "expected an array, found str"),
        ([[1, 2], [3]], "inhomogeneous"),
    ],
    ids=lambda v: v[:20] if isinstance(v, str) else type(v).__name__,
)
def test_what_is_no_input_is_named(x: Any, message: str) -> None:
    model = engine.load_model(ROOT / "weights" / "mnist.h5")
    for call in (model, model.predict):
        with pytest.raises(InputError, match=message):
            call(x)


def test_a_value_of_two_to_the_31_elements_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    def model(height: int) -> Path:
        described = sequential(
            layer("ZeroPadding2D", "frame", padding=[[height, 0], [0, 0]]), shape=(None, 1, 1 << 16, 1)
        )
        return write(tmp_path / f"{height}.h5", described, {})

    engine.load_model(model((1 << 15) - 2))
    message = r"layer 'frame' .*shape \(32768, 65536, 1\) is larger than 2147483647 elements"
    with pytest.raises(LimitExceededError, match=message):
        engine.load_model(model((1 << 15) - 1))
