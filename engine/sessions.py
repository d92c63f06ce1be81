"""The sessions of a model by the shapes of its inputs."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from engine.errors import GraphError, InputError
from engine.frontend import Network
from engine.ir.ops import Shape
from engine.locks import ForkLock
from engine.passes import optimise
from engine.plan.sharing import Pool, share
from engine.runtime.session import FallbackSession, Session, new_session
from engine.runtime.tuning import Memory

if TYPE_CHECKING:
    from engine.runtime.segments import SegmentedSession

AnySession: TypeAlias = "Session | SegmentedSession | FallbackSession"

MOST = 8
"""Sessions kept for one model; of more, the one used longest ago is dropped."""


def share_weights(session: AnySession, pool: Pool) -> None:
    """Let a session hold the packed weights that others of the pool hold alike, and others hold its own."""
    for part in session.natives:
        part.program = share(part.program, pool)


class Sessions:
    """One session for each set of shapes in use, made when it is first asked for. Programs share packed weights."""

    def __init__(
        self,
        again: Callable[[Sequence[Shape]], Network],
        threads: int | None,
        pool: Pool,
        memory: Memory = "normal",
    ) -> None:
        self._again, self._threads, self._pool, self._memory = again, threads, pool, memory
        self._made: OrderedDict[tuple[Shape, ...], AnySession] = OrderedDict()
        self._lock = ForkLock()

    def of(self, shapes: Sequence[Shape]) -> AnySession:
        """The session for examples of these shapes. Raises `InputError` where a layer cannot take them."""
        key = tuple(shapes)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            session = self._made[key] = self._new(key)
            if len(self._made) > MOST:
                self._made.popitem(last=False)
            return session

    def _new(self, shapes: Sequence[Shape]) -> AnySession:
        try:
            with self._again(shapes) as network:
                session = new_session(optimise(network.graph), self._threads, self._memory)
        except GraphError as error:
            raise InputError(f"inputs of shapes {', '.join(map(str, shapes))} do not fit: {error}") from None
        share_weights(session, self._pool)
        return session
