"""Whether a runtime computed what TensorFlow computed."""

import numpy as np
from numpy.typing import NDArray

ABSOLUTE = 1e-5
RELATIVE = 1e-4
MARGIN = 1e-4


def disagreement(got: NDArray[np.float32], reference: NDArray[np.float32], output: str) -> str | None:
    """One line saying how far off `got` is, or None if |d| <= ABSOLUTE * size + RELATIVE * |reference|.

    `size` is 1 for probabilities and max |reference| otherwise. Classifiers must also agree on the best class,
    unless the reference's two best are within MARGIN.
    """
    if got.shape != reference.shape:
        return f"shape {got.shape}, TensorFlow has {reference.shape}"
    if not np.isfinite(got).all():
        return "output is not finite"
    size = 1.0 if output == "probabilities" else float(np.abs(reference).max())
    difference = np.abs(got - reference)
    allowed = ABSOLUTE * size + RELATIVE * np.abs(reference)
    if (difference > allowed).any():
        worst = np.argmax(difference - allowed)
        return f"off by {difference.flat[worst]:.2e} where {allowed.flat[worst]:.2e} is allowed"
    if output == "values":
        return None
    best = np.sort(reference, axis=-1)
    other = (got.argmax(-1) != reference.argmax(-1)) & (best[..., -1] - best[..., -2] >= MARGIN)
    return f"another best class for {other.sum()} of {other.size} images" if other.any() else None
