"""One file a family of layers. Importing this package fills the table in `engine.frontend.registry`."""

from engine.frontend.layers import activation, convolution, core, merging, normalization, pooling, reshaping

__all__ = ["activation", "convolution", "core", "merging", "normalization", "pooling", "reshaping"]
