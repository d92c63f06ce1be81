"""A model that answers as a test wants, and keeps what it was fed."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import engine


class FakeModel:
    """`answer` turns a batch into the output; by default class i for an image whose mean is i tenths."""

    name = "fake"
    loss = metadata = ""

    def __init__(
        self,
        answer: Callable[[NDArray[np.float32]], Any] | None = None,
        input_shape: Any = (None, 28, 28, 1),
        output_shape: Any = (None, 10),
        head: str = "softmax",
        from_logits: bool = False,
        layer_types: Sequence[str] = (),
    ) -> None:
        self.answer = answer or self._tenths
        self.input_shape, self.output_shape = input_shape, output_shape
        self.head, self.from_logits = head, from_logits
        self.layers = [SimpleNamespace(name=name.lower(), class_name=name) for name in layer_types]
        self.batches: list[NDArray[np.float32]] = []

    def predict(self, x: NDArray[np.float32], batch_size: int = 32, verbose: int = 0) -> NDArray[np.float32]:
        assert x.dtype == np.float32
        assert x.shape[1:] == self.input_shape[1:]
        self.batches.append(x)
        return np.asarray(self.answer(x), np.float32)

    def summary(self, print_fn: Callable[[str], None] = print) -> None:
        print_fn('Model: "fake"')

    def _tenths(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        classes = self.output_shape[1]
        near = np.rint(x.mean(axis=tuple(range(1, x.ndim))) * 10).astype(int).clip(0, classes - 1)
        return np.where(np.arange(classes) == near[:, None], 0.91, 0.09 / (classes - 1)).astype(np.float32)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "FakeModel":
        """Make this what `engine.load_model` returns."""
        monkeypatch.setattr(engine, "load_model", lambda path, **options: self)
        return self
