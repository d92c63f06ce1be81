"""Nodes that are functions, not layers. Importing this package fills the table in `table`."""

from engine.frontend.operations import (  # noqa: F401  # each enters its functions
    choosing,
    colours,
    composed,
    einsum,
    elementwise,
    fractional,
    frames,
    host,
    images,
    joining,
    norms,
    picking,
    products,
    reductions,
    shapes,
    slicing,
    windows,
)
