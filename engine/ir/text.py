"""A graph as text: one line a node, stable, for reading and for comparing in tests."""

from dataclasses import fields

from engine.ir.graph import Graph, Node, Operand, Weight
from engine.ir.ops import LINEAR, Activation, Op, Shape


def format_graph(graph: Graph) -> str:
    """`%2 = conv %1 w[3,3,1,32] b[32] pads=((1, 1), (1, 1)) relu : [28,28,32]  # conv1`, and so on."""
    head = [f"%{v} = input : {_shape(graph.shapes[v])}" for v in graph.inputs]
    body = [f"%{n.output} = {_node(n)} : {_shape(graph.shapes[n.output])}  # {n.layer}" for n in graph.nodes]
    return "\n".join([*head, *body, "return " + " ".join(f"%{v}" for v in graph.outputs)])


def _node(node: Node) -> str:
    name = "".join("_" + c.lower() if c.isupper() else c for c in type(node.op).__name__).lstrip("_")
    return " ".join([name, *map(_operand, node.operands), *_options(node.op)])


def _options(op: Op) -> list[str]:
    options = []
    for f in fields(op):  # type: ignore[arg-type]  # every operation is a dataclass
        value = getattr(op, f.name)
        if isinstance(value, Activation):
            options += [_activation(value)] if value != LINEAR else []
        elif value != f.default:
            options.append(f"{f.name}={value}")
    return options


def _activation(f: Activation) -> str:
    default = Activation(f.kind)
    changed = [f"{n}={getattr(f, n):g}" for n in "abc" if getattr(f, n) != getattr(default, n)]
    return f.kind + (f"({', '.join(changed)})" if changed else "")


def _operand(operand: Operand) -> str:
    if isinstance(operand, Weight):
        return operand.name.rsplit("/", 1)[-1] + _shape(operand.shape)
    return f"%{operand}"


def _shape(shape: Shape) -> str:
    return "[" + ",".join(map(str, shape)) + "]"
