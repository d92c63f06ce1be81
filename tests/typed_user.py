"""A user's program as a type checker sees it; nothing runs it. An ignored error that is none would be one."""

import threading

import numpy as np
from numpy.typing import NDArray

import engine


def right_uses() -> None:
    model: engine.Model = engine.load_model("m.h5", threads=2)
    part: engine.Model = model.submodel(outputs=["conv3"])
    y = model.predict(np.zeros((1, 4), np.float32), verbose=1, cancel=threading.Event())
    names: list[str] = [layer.name for layer in part.layers]
    shape: tuple[int | None, ...] = model.inputs[0].shape
    weights: list[NDArray[np.float32]] = model.get_weights()
    result: engine.Result = engine.Classifier("m.h5")("a.png")
    print(y, names, shape, weights, result.label.upper(), result.score + 1.0)


def wrong_uses(model: engine.Model, result: engine.Result) -> None:
    model.submodel(outputs=3)  # type: ignore[arg-type]
    model.predict([1.0], cancel=True)  # type: ignore[arg-type]
    engine.load_model("m.h5", lambdas=["f"])  # type: ignore[arg-type]
    result.score.upper()  # type: ignore[attr-defined]
    model.undefined()  # type: ignore[attr-defined]
