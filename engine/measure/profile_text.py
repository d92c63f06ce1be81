"""A profile as lines of text."""

from collections.abc import Iterator

from engine.measure.profile import BASE_BYTES, PACKED_SHARE, Profile, Row
from engine.measure.text import figure, mebibytes, seconds, table

_WIDEST = 44
_HEADS = ("layers", "algorithm", "ms", "share", "busy", "GFLOP/s", "GB/s", "% of peak")


def profile_lines(profile: Profile) -> Iterator[str]:
    """The steps as a table, then the totals."""
    yield from table(_HEADS, [_cells(row) for row in profile.rows], left=2)
    yield ""
    images = f"{profile.batch} image{'s' * (profile.batch > 1)}"
    pieces = "" if profile.piece == profile.batch else f" in pieces of {profile.piece}"
    yield f"{profile.model}: {images}{pieces}, threads: {profile.threads}, {profile.isa}"
    yield (
        f"load {seconds(profile.load)}, first call {seconds(profile.first_call)}, "
        f"then {seconds(profile.call)} a call, {figure(profile.batch / profile.call)} images/s"
    )
    outside = max(0.0, profile.call - profile.steps - profile.between)
    yield (
        f"of a call: {seconds(profile.steps)} in steps, {seconds(profile.between)} between them, "
        f"{seconds(outside)} outside (checks, copies)"
    )
    work = sum(row.flops for row in profile.rows)
    share = 100 * work / profile.call / profile.peak
    yield (
        f"arithmetic: {figure(work / profile.call / 1e9)} of {figure(profile.peak / 1e9)} GFLOP/s that this machine "
        f"was measured to do ({figure(share)} %); Winograd's algorithm does less than is counted"
    )
    memory = profile.memory
    yield (
        f"memory: weights {mebibytes(memory.raw)}, packed {mebibytes(memory.packed)}, arena {mebibytes(memory.arena)}, "
        f"scratch {mebibytes(memory.scratch)}"
    )
    yield (
        f"peak resident after the calls {mebibytes(memory.peak_resident)}; expected at most "
        f"{mebibytes(BASE_BYTES)} + {PACKED_SHARE} packed + arena = {mebibytes(memory.expected)}"
    )
    yield "busy: share of the threads' time that they spend in kernels"


def _cells(row: Row) -> list[str]:
    layers = ", ".join(row.layers)
    if len(layers) > _WIDEST:
        layers = f"{layers[: _WIDEST - 1]}…"
    rate = row.flops / row.seconds / 1e9 if row.flops and row.seconds else None
    moved = row.bytes / row.seconds / 1e9 if row.seconds else None
    return [
        layers, row.algorithm, figure(row.seconds * 1e3), f"{100 * row.share:.1f}%", f"{100 * row.busy:.0f}%",
        figure(rate), figure(moved), figure(row.percent_of_peak),
    ]  # fmt: skip
