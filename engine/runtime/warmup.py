"""Fill the kernel cache ahead of time: in a Dockerfile, or before the first request."""

from engine.ir.ops import ACTIVATIONS, BINARY_KINDS, RECURRENT_KINDS
from engine.plan.machine import this_machine
from engine.runtime import native

_REDUCTIONS = ("max", "mean")
_VARIANTS = {
    "depthwise_direct": ("3x1", "3x2", "5x1", "5x2", "7x1"),
    "normalize": ("centered", "rms"),
    "pool_norm": ("norm", "euclid", "stochastic"),
    "reduce": ("sum", "mean", "max", "min", "prod"),
}


def all_kernels() -> list[str]:
    """Every kernel that a model may need."""
    return [
        "conv_direct", "conv_winograd", "copy", "depthwise_direct", "gemm", "map", "pad", "patch", "run",
        "scale_shift", "softmax", "tile", "transpose", "worker", "gather", "resample", "select", "slice", "embed",
        "conv_transpose", "local_dense", "matmul",
        *(f"{pool}/{kind}" for pool in ("pool_window", "pool_global", "pool_region") for kind in _REDUCTIONS),
        *(f"{kernel}/{variant}" for kernel, variants in _VARIANTS.items() for variant in variants),
        *(f"recurrent/{kind}" for kind in RECURRENT_KINDS),
        *(f"binary/{kind}" for kind in BINARY_KINDS),
        *(f"activate/{kind}" for kind in ACTIVATIONS if kind != "linear"),
    ]  # fmt: skip


def warmup() -> int:
    """Compile what is not in the cache yet; the number of kernels ready. Raises `KernelError`."""
    return len(native.addresses(all_kernels(), this_machine().isa))
