"""Results as lines of text."""

from statistics import geometric_mean
from typing import Any

Record = dict[str, Any]


def ratios(figures: Record) -> Record:
    """The fastest peer, its time over the engine's, and the same for every peer; None where a figure is missing."""
    medians = {name: figure["median"] for name, figure in figures.items() if "median" in figure}
    ours = medians.pop("engine", None)
    best = min(medians, key=medians.__getitem__) if medians else None
    every = {name: median / ours for name, median in medians.items()} if ours else {}
    return {"best_peer": best, "ratio": every.get(best) if best else None, "ratios": every}


def mean_ratio(records: list[Record]) -> float | None:
    """Geometric mean of the ratios to the best peer; None if no row has one."""
    found = [record["ratio"] for record in records if record["ratio"]]
    return geometric_mean(found) if found else None


def titles(runners: list[str], unit: str, beside: str) -> str:
    """The heading over the `line`s; `beside` is the peer of the last column."""
    columns = "".join(f"{name:>13}" for name in runners)
    return f"{unit}\n{'model':<16}{'batch':>6}{'threads':>8}{columns}{'best peer/ours':>16}{beside + '/ours':>18}"


def line(record: Record, runners: list[str], beside: str) -> str:
    """One record: a figure a runner and two ratios; below, the reason of the runners that have no figure."""
    figures = record["runners"]
    columns = "".join(f"{_figure(figures[name].get('median')):>13}" for name in runners)
    best = "failed" if "error" in figures["engine"] else _figure(record["ratio"])
    text = f"{record['model']:<16}{record['batch']:>6}{record['threads']:>8}{columns}"
    text += f"{best:>16}{_figure(record['ratios'].get(beside)):>18}"
    reasons: dict[str, list[str]] = {}
    for name in runners:
        if "error" in figures[name]:
            reasons.setdefault(figures[name]["error"], []).append(name)
    return text + "".join(f"\n  {', '.join(names)}: {reason}" for reason, names in reasons.items())


def memory_line(record: Record, runners: list[str]) -> str:
    """The peak resident sizes of a start-up record."""
    columns = "".join(f"{_figure(record['runners'][name].get('peak_mib')):>13}" for name in runners)
    return f"{'  peak MiB':<30}{columns}"


def summary(records: list[Record]) -> str:
    """Geometric mean of the ratios to the best peer, how many rows are below 1, and how many have no ratio."""
    found = [record["ratio"] for record in records if record["ratio"]]
    mean = f"geometric mean of best peer/ours {geometric_mean(found):.2f} over {len(found)} rows, " if found else ""
    return f"{mean}{sum(ratio < 1 for ratio in found)} below 1.0, {len(records) - len(found)} without a ratio"


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")
