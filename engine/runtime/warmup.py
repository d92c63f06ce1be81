"""Fill the kernel cache ahead of time: in a Dockerfile, or before the first request."""

from engine.ir.ops import ACTIVATIONS
from engine.plan.machine import this_machine
from engine.runtime import native

_REDUCTIONS = ("max", "mean")
_BINARY = ("add", "sub", "mul", "div", "max", "min")


def all_kernels() -> list[str]:
    """Every kernel that a model may need."""
    return [
        "conv_direct", "conv_winograd", "copy", "depthwise_direct", "gemm", "map", "pad", "patch", "run",
        "scale_shift", "softmax", "tile", "transpose", "worker",
        *(f"{pool}/{kind}" for pool in ("pool_window", "pool_global") for kind in _REDUCTIONS),
        *(f"binary/{kind}" for kind in _BINARY),
        *(f"activate/{kind}" for kind in ACTIVATIONS if kind != "linear"),
    ]  # fmt: skip


def warmup() -> int:
    """Compile what is not in the cache yet; the number of kernels ready. Raises `KernelError`."""
    return len(native.addresses(all_kernels(), this_machine().isa))
