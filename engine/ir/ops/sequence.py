"""Operations on sequences: looking up rows of a table, and recurrence."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from engine.errors import GraphError
from engine.ir.ops.base import Activation, Op, Shape, expect

RecurrentKind: TypeAlias = Literal["simple", "lstm", "gru", "gru_after"]
RECURRENT_KINDS: tuple[RecurrentKind, ...] = get_args(RecurrentKind)

_TANH, _SIGMOID = Activation("tanh"), Activation("sigmoid")
_GATES = {"simple": 1, "lstm": 4, "gru": 3, "gru_after": 3}


@dataclass(frozen=True, slots=True)
class Embed(Op):
    """Rows of a table. Operands: numbers of rows (...), table (rows, width); result (..., width).

    A number is cut to an integer; a negative one counts from the end. Where there is no such row, the result is NaN.
    """

    operands: ClassVar = (2, 2)

    def result(self, *shapes: Shape) -> Shape:
        expect("axes of the table", 2, len(shapes[1]))
        return (*shapes[0], shapes[1][1])


@dataclass(frozen=True, slots=True)
class Recurrent(Op):
    """Recurrence over the steps of a sequence. With z = x[t]·W + b, and states h and c of `u` numbers:

        simple      h ← act(z + h·R)
        lstm        i, f, g, o = z + h·R;  c ← gate(f)·c + gate(i)·act(g);  h ← gate(o)·act(c)
        gru         a, r = gate(z + h·R);  h ← a·h + (1 − a)·act(z + (r·h)·R)
        gru_after   a, r = gate(z + h·R);  h ← a·h + (1 − a)·act(z + r·(h·R + d))

    where z and R stand for their columns of the gates on the left, which come in this order, the candidate of a GRU
    last. Operands: x (..., t, k), if `masked` a mask (..., t), if `initial` the states before the first step (..., u),
    else they are zero; W (k, gates·u), R (u, gates·u), b (gates·u), for gru_after d (u).

    Steps run from the last to the first if `backwards`. Where the mask is zero, states stay as they are, and the result
    is the one before (at first zero), or zero if `zeros`. Result: if `sequences` (..., t, u), the rows in the order of
    computation, or against it if `flipped`; else (..., u), the last one's. If `states`, h (and c) follow as further
    rows: (..., t or 1 + states, u).
    """

    operands: ClassVar = (4, 8)
    kind: RecurrentKind
    activation: Activation = _TANH
    gate: Activation = _SIGMOID
    masked: bool = False
    initial: bool = False
    sequences: bool = False
    states: bool = False
    backwards: bool = False
    flipped: bool = False
    zeros: bool = False

    @property
    def gates(self) -> int:
        """Number of column blocks of z and R."""
        return _GATES[self.kind]

    @property
    def state_count(self) -> int:
        """Number of states."""
        return 2 if self.kind == "lstm" else 1

    @property
    def kernel_place(self) -> int:
        """The place of W among the operands."""
        return 1 + self.masked + self.initial * self.state_count

    def result(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) < 2:
            raise GraphError(f"expected a sequence (..., t, k), found shape {shapes[0]}")
        *lead, t, k = shapes[0]
        columns = shapes[-1][-1] * (self.gates if self.kind == "gru_after" else 1) if shapes[-1] else 0
        u = columns // self.gates
        values = [(*lead, t)] * self.masked + [(*lead, u)] * (self.initial * self.state_count)
        constants = [(k, columns), (u, columns), (columns,), *([(u,)] if self.kind == "gru_after" else [])]
        expect("further operands", [*values, *constants], [*shapes[1:]])
        rows = (t if self.sequences else 1) + (self.state_count if self.states else 0)
        return (*lead, rows, u) if self.sequences or self.states else (*lead, u)
