"""One file a family of layers. Importing this package fills the table in `engine.frontend.registry`."""

from engine.frontend.layers import (  # noqa: F401  # each enters its layers
    activation,
    adaptive,
    convolution,
    core,
    embedding,
    merging,
    normalization,
    pooling,
    recurrent,
    reshaping,
    resizing,
    rows,
    transposed,
    wrappers,
)
