"""What denormal numbers cost: the time of a model with denormal inputs, and weights, over that with ordinary ones.

`python -m tests.faults.denormals` prints the shortest of many runs of each, and the ratios.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import engine
from tests.frontend.handmade import layer, sequential, write

RUNS = 200


def model(folder: Path, scale: float) -> engine.Model:
    """Convolutions of several kinds and a dense layer whose weights have this size."""
    random = np.random.default_rng(0)

    def weights(*shape: int) -> NDArray[np.float32]:
        return (random.standard_normal(shape) * scale).astype(np.float32)

    described = sequential(
        layer("Conv2D", "three", filters=32, kernel_size=3, padding="same", use_bias=False),
        layer("DepthwiseConv2D", "depth", kernel_size=3, padding="same", use_bias=False),
        layer("Conv2D", "one", filters=32, kernel_size=1, use_bias=False),
        layer("Flatten", "flat"),
        layer("Dense", "dense", units=10, activation="tanh", use_bias=False),
        shape=(None, 24, 24, 16),
    )
    stored = {
        "three": [("kernel", weights(3, 3, 16, 32))],
        "depth": [("depthwise_kernel", weights(3, 3, 32, 1))],
        "one": [("kernel", weights(1, 1, 32, 32))],
        "dense": [("kernel", weights(24 * 24 * 32, 10))],
    }
    return engine.load_model(write(folder / f"{scale}.h5", described, stored), threads=1)


def shortest(made: engine.Model, x: NDArray[np.float32]) -> float:
    """Seconds of the fastest run."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        made.predict(x)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the table."""
    x = np.random.default_rng(1).random((1, 24, 24, 16), np.float32) + np.float32(0.5)
    with tempfile.TemporaryDirectory() as folder:
        ordinary, small = model(Path(folder), 0.05), model(Path(folder), 1e-39)
        plain = shortest(ordinary, x)
        for name, seconds in (
            ("ordinary", plain),
            ("denormal input", shortest(ordinary, x * np.float32(1e-39))),
            ("denormal weights", shortest(small, x)),
            ("denormal both", shortest(small, x * np.float32(1e-39))),
        ):
            print(f"{name:17} {seconds * 1e6:7.0f} us  {seconds / plain:.2f}")


if __name__ == "__main__":
    main()
