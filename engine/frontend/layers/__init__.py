"""One file a family of layers. Importing this package fills the table in `engine.frontend.registry`."""

from engine.frontend.layers import (  # noqa: F401  # each enters its layers
    activation,
    adaptive,
    attention,
    augmentation,
    convolution,
    core,
    embedding,
    encoding,
    local,
    merging,
    normalization,
    pooling,
    products,
    recurrent,
    reshaping,
    resizing,
    rows,
    seed_pools,
    transposed,
    wrappers,
)
