"""Functions of one, two or three values, element by element."""

from typing import Any

from engine.frontend.call import Tensor
from engine.frontend.layers.activation import log_softmax as log_softmax_of
from engine.frontend.layers.activation import sparsemax as sparsemax_of
from engine.frontend.layers.geometry import over_axes
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import Function, operation
from engine.ir.ops import BinaryKind, Select, Softmax

_UNARY = {
    "abs": "Absolute Abs Fabs math.abs abs raw.Abs",
    "negative": "Negative math.negative negative raw.Neg",
    "sqrt": "Sqrt math.sqrt sqrt raw.Sqrt",
    "rsqrt": "Rsqrt math.rsqrt raw.Rsqrt",
    "square": "Square math.square square raw.Square",
    "reciprocal": "Reciprocal math.reciprocal raw.Reciprocal",
    "exp": "Exp math.exp exp raw.Exp",
    "expm1": "Expm1 math.expm1 raw.Expm1",
    "log": "Log math.log raw.Log",
    "log1p": "Log1p math.log1p raw.Log1p",
    "log_sigmoid": "LogSigmoid math.log_sigmoid",
    "sign": "Sign math.sign sign raw.Sign",
    "floor": "Floor math.floor floor raw.Floor",
    "ceil": "Ceil math.ceil raw.Ceil",
    "sin": "Sin math.sin sin raw.Sin",
    "cos": "Cos math.cos cos raw.Cos",
    "tanh": "Tanh math.tanh tanh nn.tanh raw.Tanh",
    "sigmoid": "Sigmoid math.sigmoid sigmoid nn.sigmoid raw.Sigmoid",
    "erf": "Erf math.erf raw.Erf",
    "relu": "Relu nn.relu raw.Relu",
    "selu": "Selu nn.selu raw.Selu",
    "softplus": "Softplus math.softplus nn.softplus raw.Softplus",
    "softsign": "Softsign nn.softsign math.softsign raw.Softsign",
    "swish": "Silu nn.silu nn.swish",
    "tanh_shrink": "TanhShrink",
    "hard_tanh": "HardTanh",
    "sparse_plus": "SparsePlus",
    "sparse_sigmoid": "SparseSigmoid",
    "logical_not": "LogicalNot math.logical_not raw.LogicalNot",
    "is_nan": "Isnan math.is_nan raw.IsNan",
}

_BINARY: dict[BinaryKind, str] = {
    "add": "Add math.add add __operators__.add raw.Add raw.AddV2",
    "sub": "Subtract math.subtract subtract __operators__.sub raw.Sub",
    "mul": "Multiply math.multiply multiply __operators__.mul raw.Mul",
    "div": "Divide TrueDivide math.divide math.truediv divide truediv __operators__.truediv raw.RealDiv raw.Div",
    "max": "Maximum math.maximum maximum raw.Maximum",
    "min": "Minimum math.minimum minimum raw.Minimum",
    "floor_divide": "FloorDivide math.floordiv floordiv compat.v1.floor_div __operators__.floordiv raw.FloorDiv",
    "mod": "Mod math.floormod math.mod __operators__.mod raw.FloorMod",
    "squared_difference": "SquaredDifference math.squared_difference raw.SquaredDifference",
    "equal": "Equal math.equal equal __operators__.eq raw.Equal",
    "not_equal": "NotEqual math.not_equal not_equal __operators__.ne raw.NotEqual",
    "less": "Less math.less less __operators__.lt raw.Less",
    "less_equal": "LessEqual math.less_equal less_equal __operators__.le raw.LessEqual",
    "greater": "Greater math.greater greater __operators__.gt raw.Greater",
    "greater_equal": "GreaterEqual math.greater_equal greater_equal __operators__.ge raw.GreaterEqual",
    "logical_and": "LogicalAnd math.logical_and logical_and __operators__.and raw.LogicalAnd",
    "logical_or": "LogicalOr math.logical_or logical_or __operators__.or raw.LogicalOr",
}


def _unary(kind: str) -> Function:
    def function(scope: Scope, x: Any) -> int:
        return scope.activate(scope.value(x), kind)

    return function


def _binary(kind: BinaryKind) -> Function:
    def function(scope: Scope, x: Any, y: Any) -> int:
        return scope.binary(kind, *scope.together(x, y))

    return function


def spelled(name: str, keras: str, tensorflow: str) -> str:
    """A name and its parameters: Keras 3's classes begin with a capital; others may follow a colon."""
    name, _, parameters = name.partition(":")
    return f"{name} {parameters.replace(',', ' ') or (keras if name[0].isupper() else tensorflow)}"


for _kind, _names in _UNARY.items():
    operation(*(spelled(name, "x", "features") for name in _names.split()))(_unary(_kind))

for _pair, _names in _BINARY.items():
    operation(*(spelled(name, "x1 x2", "x y") for name in _names.split()))(_binary(_pair))


@operation("Power x1 x2", "math.pow x y", "pow x y", "__operators__.pow x y", "raw.Pow")
def power(scope: Scope, x: Any, y: Any) -> int:
    """x to the power y."""
    if isinstance(x, Tensor) and not isinstance(y, Tensor) and scope.array(y).ndim == 0 and scope.number(y) == 2:
        return scope.activate(x.value, "square")
    return scope.binary("pow", *scope.together(x, y))


@operation("Relu6", "nn.relu6 features", "raw.Relu6")
def relu6(scope: Scope, x: Any) -> int:
    """min(max(x, 0), 6)."""
    return scope.activate(scope.value(x), "relu", c=6.0)


@operation("LeakyRelu x negative_slope", "nn.leaky_relu features alpha", "raw.LeakyRelu features alpha")
def leaky_relu(scope: Scope, x: Any, slope: Any = 0.2) -> int:
    """x, or a slope times x where x is negative."""
    return scope.activate(scope.value(x), "relu", a=scope.number(slope))


@operation("Elu", "nn.elu features", "raw.Elu")
def elu(scope: Scope, x: Any, alpha: Any = 1.0) -> int:
    """x, or alpha times exp(x) − 1 where x is negative."""
    return scope.activate(scope.value(x), "elu", a=scope.number(alpha))


@operation("Celu")
def celu(scope: Scope, x: Any, alpha: Any = 1.0) -> int:
    """As elu, with x over alpha in the exponential."""
    return scope.activate(scope.value(x), "celu", a=scope.number(alpha))


@operation("Gelu")
def gelu(scope: Scope, x: Any, approximate: Any = True) -> int:
    """x times the normal distribution's share below x; approximately by a hyperbolic tangent."""
    return scope.activate(scope.value(x), "gelu_tanh" if scope.flag(approximate) else "gelu")


@operation("nn.gelu features approximate")
def exact_gelu(scope: Scope, x: Any, approximate: Any = False) -> int:
    """As gelu, exact where nothing else is said."""
    return gelu(scope, x, approximate)  # type: ignore[return-value]


@operation("HardSigmoid")
def hard_sigmoid(scope: Scope, x: Any) -> int:
    """min(max(x/6 + 1/2, 0), 1)."""
    return scope.activate(scope.value(x), "hard_sigmoid", a=1 / 6, b=0.5)


@operation("HardSilu")
def hard_silu(scope: Scope, x: Any) -> int:
    """x times its hard sigmoid."""
    return scope.activate(scope.value(x), "hard_swish", a=1 / 6, b=0.5)


@operation("SoftShrink")
def soft_shrink(scope: Scope, x: Any, threshold: Any = 0.5) -> int:
    """x nearer to zero by a threshold, zero within it."""
    return scope.activate(scope.value(x), "soft_shrink", a=scope.number(threshold))


@operation("HardShrink")
def hard_shrink(scope: Scope, x: Any, threshold: Any = 0.5) -> int:
    """x, or zero within a threshold."""
    return scope.activate(scope.value(x), "hard_shrink", a=scope.number(threshold))


@operation("Squareplus")
def squareplus(scope: Scope, x: Any, b: Any = 4) -> int:
    """(x + sqrt(x² + b)) / 2."""
    return scope.activate(scope.value(x), "squareplus", a=scope.number(b))


@operation("Threshold")
def threshold(scope: Scope, x: Any, threshold: Any, default_value: Any) -> int:
    """x above a threshold, else another number."""
    a, b = scope.number(threshold), scope.number(default_value)
    return scope.activate(scope.value(x), "threshold", a=a, b=b)


@operation("Round", "math.round", "round", "raw.Round")
def rounded(scope: Scope, x: Any, decimals: Any = 0) -> int:
    """The nearest whole number, halves to even."""
    if scope.integer(decimals):
        raise scope.refuse("rounding to decimals is not supported")
    return scope.activate(scope.value(x), "round")


@operation("Softmax", "nn.softmax logits axis", "raw.Softmax", "math.softmax logits axis")
def softmax(scope: Scope, x: Any, axis: Any = -1) -> int:
    """exp(x) over its sum along one axis or several."""
    value = scope.value(x)
    axes = scope.axes(-1 if axis is None else axis, scope.rank(value))
    return over_axes(scope.call, value, axes, lambda v: scope.emit(Softmax(), v))


@operation("LogSoftmax", "nn.log_softmax logits axis", "raw.LogSoftmax")
def log_softmax(scope: Scope, x: Any, axis: Any = -1) -> int:
    """The logarithm of the softmax."""
    value = scope.value(x)
    axes = scope.axes(-1 if axis is None else axis, scope.rank(value))
    return over_axes(scope.call, value, axes, lambda v: log_softmax_of(scope.call, v))


@operation("Sparsemax x axis")
def sparsemax(scope: Scope, x: Any, axis: Any = -1) -> int:
    """The nearest point whose elements are shares of one."""
    value = scope.value(x)
    axes = scope.axes(axis, scope.rank(value))
    return over_axes(scope.call, value, axes, lambda v: sparsemax_of(scope.call, v))


@operation("Clip x x_min x_max", "clip_by_value t clip_value_min clip_value_max", "raw.ClipByValue")
def clip(scope: Scope, x: Any, low: Any, high: Any) -> int:
    """x, at least `low` and at most `high`."""
    plain = not any(isinstance(bound, Tensor | list | tuple) for bound in (low, high))
    if plain and scope.number(low) == 0.0:
        return scope.activate(scope.value(x), "relu", c=scope.number(high))
    raised = scope.binary("max", *scope.together(x, low))
    return scope.binary("min", *scope.together(Tensor(raised), high))


@operation("Where condition x1 x2", "where", "raw.Select", "raw.SelectV2")
def where(scope: Scope, condition: Any, x: Any, y: Any) -> int:
    """x where the condition is not zero, else y."""
    return scope.emit(Select(), *scope.together(condition, x, y))


@operation("math.add_n inputs", "raw.AddN")
def add_n(scope: Scope, inputs: Any) -> int:
    """The sum of all inputs."""
    first, *rest = scope.values(inputs)
    for value in rest:
        first = scope.binary("add", first, value)
    return first


_FLOATS = ("float16", "bfloat16", "float32", "float64", "half", "double", "float")
_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


@operation("Cast x dtype", "cast x dtype", "raw.Cast x DstT")
def cast(scope: Scope, x: Any, dtype: Any) -> int:
    """Another kind of number. Values stay float32: whole numbers are cut towards zero, truth is 1 or 0."""
    value, kind = scope.value(x), str(dtype).lower().removeprefix("dt_")
    if kind in _FLOATS:
        return value
    if kind == "bool":
        return scope.binary("not_equal", value, scope.number_of(0.0))
    if kind not in _WHOLE:
        raise scope.refuse(f"numbers of kind {repr(dtype)[:40]} are not supported")
    size = scope.activate(scope.activate(value, "abs"), "floor")
    return scope.binary("mul", scope.activate(value, "sign"), size)


@operation("ZerosLike", "zeros_like input", "raw.ZerosLike")
def zeros_like(scope: Scope, x: Any, dtype: Any = None) -> int:
    """Zeros in the shape of x."""
    return _filled(scope, x, 0.0)


@operation("OnesLike", "ones_like input", "raw.OnesLike")
def ones_like(scope: Scope, x: Any, dtype: Any = None) -> int:
    """Ones in the shape of x."""
    return _filled(scope, x, 1.0)


def _filled(scope: Scope, x: Any, number: float) -> int:
    constant = scope.number_of(number)
    return scope.emit(Select(), scope.value(x), constant, constant)


@operation(
    "StopGradient variable", "stop_gradient input", "identity input", "Copy", "raw.Identity", "raw.StopGradient",
    "ConvertToTensor x dtype", "convert_to_tensor value dtype", "ensure_shape x", "Conj x", "Real x", "math.real x",
)  # fmt: skip
def identity(scope: Scope, x: Any, dtype: Any = None) -> int:
    """The value itself."""
    return scope.value(x)
