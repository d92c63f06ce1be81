"""Sizes and counts of a stage as formulas with its own numbers filled in."""

from collections.abc import Sequence
from math import prod

from engine.explaining.stages import Stage
from engine.ir.graph import Graph
from engine.ir.ops import (
    Activation,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    GlobalPool,
    NormPool,
    Pair,
    Pool,
    Shape,
)

AXES = ("height", "width")


def size_formulas(stage: Stage, graph: Graph) -> list[str]:
    """One line an axis, or one for both where they agree: `⌊(28 − 3 + 1 + 1) / 1⌋ + 1 = 28`."""
    x, y = graph.shapes[stage.x], graph.shapes[stage.y]
    op = stage.op
    if isinstance(op, Dense):
        return [f"{x[-1]:,} numbers in, {y[-1]:,} out"]
    if isinstance(op, GlobalPool):
        return [f"{x[0]} × {x[1]} positions become 1, for each of {x[2]:,} channels"]
    if isinstance(op, ConvTranspose):
        return _by_axis([_transposed(stage, op, i, x[i], y[i]) for i in (0, 1)])
    kernel = window_of(stage)
    dilation = op.dilation if isinstance(op, Conv | DepthwiseConv) else (1, 1)
    return _by_axis([_windowed(x[i], y[i], kernel[i], op.strides[i], op.pads[i], dilation[i]) for i in (0, 1)])


def window_of(stage: Stage) -> Pair:
    """Height and width of what a stage looks through."""
    if isinstance(stage.op, Pool | NormPool):
        return stage.op.window
    assert stage.kernel is not None
    return stage.kernel.shape[0], stage.kernel.shape[1]


def _by_axis(lines: Sequence[str]) -> list[str]:
    if lines[0] == lines[1]:
        return [lines[0]]
    return [f"{axis}: {line}" for axis, line in zip(AXES, lines, strict=True)]


def _windowed(size: int, result: int, kernel: int, stride: int, pads: Pair, dilation: int) -> str:
    span = f"{kernel}" if dilation == 1 else f"(({kernel} − 1)·{dilation} + 1)"
    before, after = pads
    padding = (
        f" + 2·{before}" if before == after and before else f" + {before} + {after}" if before or after else " + 2·0"
    )
    return f"⌊({size} − {span}{padding}) / {stride}⌋ + 1 = {result}"


def _transposed(stage: Stage, op: ConvTranspose, axis: int, size: int, result: int) -> str:
    kernel, stride = window_of(stage)[axis], op.strides[axis]
    full = (size - 1) * stride + (kernel - 1) * op.dilation[axis] + 1
    cut = full - result
    ending = f" − {cut} cut off" if cut > 0 else f" + {-cut} of zeros" if cut else ""
    return f"({size} − 1)·{stride} + ({kernel} − 1)·{op.dilation[axis]} + 1{ending} = {result}"


def size_rule(stage: Stage) -> str:
    """Which formula that is, and how padding was chosen."""
    if isinstance(stage.op, Conv | DepthwiseConv | Pool | NormPool):
        (top, bottom), (left, right) = stage.op.pads
        if (top, left) == (bottom, right):
            sides = f"{top} above and below, {left} left and right"
            padding = "no padding" if not top and not left else f"padding P: {sides}"
            return f"⌊(in − K + 2P) / S⌋ + 1, {padding}"
        return (
            f"⌊(in − K + P) / S⌋ + 1, padding P: {top} + {bottom} rows, {left} + {right} columns; the odd one goes last"
        )
    return "(in − 1)·S + (K − 1)·D + 1" if isinstance(stage.op, ConvTranspose) else ""


def parameter_formula(stage: Stage) -> str:
    """`32 · (3·3·1) + 32 = 320`; a pool has none."""
    op, kernel = stage.op, stage.kernel
    if kernel is None:
        return "none: a pool has no weights"
    count = sum(weight.size for weight in stage.weights)
    shape, bias = kernel.shape, ""
    if stage.bias is not None:
        bias = f" + {stage.bias.size:,}"
    if isinstance(op, Dense):
        return f"{shape[0]:,} · {shape[1]:,}{bias} = {count:,}"
    if isinstance(op, DepthwiseConv):
        kh, kw, c, m = shape
        return f"{c} · {m} · ({kh}·{kw}){bias} = {count:,}"
    kh, kw, c, f = shape
    return f"{f} · ({kh}·{kw}·{c}){bias} = {count:,}"


def parameter_count(stage: Stage) -> int:
    """Number of weights of the stage itself."""
    return sum(weight.size for weight in stage.weights)


def activation_formula(activation: Activation) -> str:
    """`relu: max(0, x)`."""
    match activation.kind:
        case "relu":
            low = "0" if not activation.a else f"{activation.a:g}·x"
            return (
                f"relu: max({low}, x)"
                if activation.c == float("inf")
                else f"relu: min({activation.c:g}, max({low}, x))"
            )
        case "sigmoid":
            return "sigmoid: 1 / (1 + exp(−x))"
        case "swish":
            return "swish: x / (1 + exp(−x))"
        case "elu":
            return f"elu: x, or {activation.a:g}·(exp(x) − 1) below 0"
        case "hard_swish":
            return f"hard swish: x · clip({activation.a:.3g}·x + {activation.b:g}, 0, 1)"
        case kind:
            return f"{kind.replace('_', ' ')}(x)"


def volume(shape: Shape) -> str:
    """`28 × 28 × 32`, and how many numbers that is."""
    return f"{' × '.join(map(str, shape))} = {prod(shape):,} numbers" if len(shape) > 1 else f"{prod(shape):,} numbers"
