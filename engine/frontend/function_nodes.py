"""Which nodes call a function rather than a layer. Knows without the table of functions where a node is a layer's."""

from engine.frontend.registry import LAYERS
from engine.frontend.spec import Arguments, LayerSpec

LAMBDAS = ("TFOpLambda", "SlicingOpLambda")
RAW = "TensorFlowOpLayer"


def is_operation(spec: LayerSpec, arguments: Arguments) -> bool:
    """Whether a node calls a function.

    Keras 3 writes `trainable` for layers only. Layers of the same name are called on one list or on one value.
    """
    if spec.class_name in (*LAMBDAS, RAW):
        return True
    if "trainable" in spec.config:
        return False
    from engine.frontend import operations  # noqa: F401  # fills the table
    from engine.frontend.operations.table import OPERATIONS

    if spec.class_name not in OPERATIONS:
        return False
    first = arguments.args[0] if len(arguments.args) == 1 else None
    alone = spec.class_name == "Average" and not isinstance(first, list | tuple)
    return spec.class_name not in LAYERS or len(arguments.args) != 1 or "newshape" in spec.config or alone
