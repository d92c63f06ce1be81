"""One module a runtime, each with `load(path, batch, threads) -> Call`; `python -m bench.workers NAME` serves one."""

from collections.abc import Callable

import numpy as np

Call = Callable[[np.ndarray], np.ndarray]
"""Takes a float32 batch, returns the model's output for it."""
