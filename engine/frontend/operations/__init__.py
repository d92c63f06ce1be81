"""Nodes that are functions, not layers. Importing this package fills the table in `table`."""

from engine.frontend.operations import (  # noqa: F401  # each enters its functions
    choosing,
    elementwise,
    images,
    joining,
    products,
    reductions,
    shapes,
    slicing,
)
