"""Results as lines of text."""

from statistics import geometric_mean
from typing import Any

Record = dict[str, Any]


def titles(runners: list[str], unit: str) -> str:
    """The heading of a table of `line`s."""
    columns = "".join(f"{name:>13}" for name in runners)
    return f"{unit}\n{'model':<16}{'batch':>6}{'threads':>8}{columns}{'best peer/ours':>16}{'predict/ours':>14}"


def line(record: Record, runners: list[str]) -> str:
    """One record: a figure a runner, the two ratios, and below it the reason of each runner that has no figure."""
    figures = record["runners"]
    columns = "".join(f"{_figure(figures[name].get('median')):>13}" for name in runners)
    best = "failed" if "error" in figures.get("engine", {}) else _figure(record["ratio"])
    text = f"{record['model']:<16}{record['batch']:>6}{record['threads']:>8}{columns}"
    text += f"{best:>16}{_figure(record['ratio_predict']):>14}"
    return text + "".join(f"\n  {name}: {figures[name]['error']}" for name in runners if "error" in figures[name])


def memory_line(record: Record, runners: list[str]) -> str:
    """The peak resident sizes of a start-up record."""
    columns = "".join(f"{_figure(record['runners'][name].get('peak_mib')):>13}" for name in runners)
    return f"{'  peak MiB':<30}{columns}"


def summary(records: list[Record]) -> str:
    """Geometric mean of the ratios to the best peer, how many rows are below 1, and how many have no ratio."""
    ratios = [record["ratio"] for record in records if record["ratio"]]
    mean = f"geometric mean of best peer/ours {mean_ratio(records):.2f} over {len(ratios)} rows, " if ratios else ""
    return f"{mean}{sum(ratio < 1 for ratio in ratios)} below 1.0, {len(records) - len(ratios)} without a ratio"


def mean_ratio(records: list[Record]) -> float | None:
    """Geometric mean of the ratios that exist; None if none does."""
    ratios = [record["ratio"] for record in records if record["ratio"]]
    return geometric_mean(ratios) if ratios else None


def ratios(record_runners: Record) -> Record:
    """Best peer, its time over the engine's, and `predict`'s time over the engine's; None where one is missing."""
    medians = {name: figures["median"] for name, figures in record_runners.items() if "median" in figures}
    peers = {name: median for name, median in medians.items() if name != "engine"}
    best = min(peers, key=peers.__getitem__) if peers else None
    ours = medians.get("engine")
    return {
        "best_peer": best,
        "ratio": peers[best] / ours if best and ours else None,
        "ratio_predict": peers["keras"] / ours if "keras" in peers and ours else None,
    }


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")
