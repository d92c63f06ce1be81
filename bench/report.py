"""Results as lines of text."""

from statistics import geometric_mean
from typing import Any

from engine.measure.text import figure

Record = dict[str, Any]

_LAST = ("best peer/ours", "goal", "scaling")


def ratios(figures: Record) -> Record:
    """The fastest peer, its time over the engine's, and the same for every peer; None where a figure is missing."""
    medians = {name: found["median"] for name, found in figures.items() if "median" in found}
    ours = medians.pop("engine", None)
    best = min(medians, key=medians.__getitem__) if medians else None
    every = {name: median / ours for name, median in medians.items()} if ours else {}
    return {"best_peer": best, "ratio": every.get(best) if best else None, "ratios": every}


def scaling(record: Record, earlier: list[Record]) -> Record:
    """How many times faster each runtime is on this row's threads than on one; empty where that was not measured."""
    alone = next((r for r in earlier if (r["model"], r["batch"], r["threads"]) == _on_one(record)), None)
    if alone is None or record["threads"] == 1:
        return {}
    before, after = alone["runners"], record["runners"]
    both = [name for name in after if "median" in after[name] and "median" in before.get(name, {})]
    return {name: before[name]["median"] / after[name]["median"] for name in both}


def _on_one(record: Record) -> tuple[str, int, int]:
    return record["model"], record["batch"], 1


def mean_ratio(records: list[Record]) -> float | None:
    """Geometric mean of the ratios to the best peer; None if no row has one."""
    found = [record["ratio"] for record in records if record["ratio"]]
    return geometric_mean(found) if found else None


def titles(runners: list[str], unit: str) -> str:
    """The heading over the `line`s."""
    columns = "".join(f"{name:>13}" for name in runners)
    last = "".join(f"{name:>{len(name) + 2}}" for name in _LAST)
    return f"{unit}\n{'model':<16}{'batch':>6}{'threads':>8}{columns}{last}"


def line(record: Record, runners: list[str]) -> str:
    """One record: a figure a runner, the ratio, its goal, the engine's scaling; below, why a runner has no figure."""
    found = record["runners"]
    columns = "".join(f"{figure(found.get(name, {}).get('median')):>13}" for name in runners)
    best = "failed" if "error" in found["engine"] else figure(record["ratio"])
    last = (best, figure(record.get("goal")), figure(record.get("scaling", {}).get("engine")))
    text = f"{record['model']:<16}{record['batch']:>6}{record['threads']:>8}{columns}"
    text += "".join(f"{value:>{len(name) + 2}}" for name, value in zip(_LAST, last, strict=True))
    reasons: dict[str, list[str]] = {}
    for name, result in found.items():
        if "error" in result:
            reasons.setdefault(result["error"], []).append(name)
    return text + "".join(f"\n  {', '.join(names)}: {reason}" for reason, names in reasons.items())


def memory_line(record: Record, runners: list[str]) -> str:
    """The peak resident sizes of a record; empty where there are none."""
    peaks = [record["runners"].get(name, {}).get("peak_mib") for name in runners]
    columns = "".join(f"{figure(peak):>13}" for peak in peaks)
    return f"{'  peak MiB':<30}{columns}" if any(peaks) else ""


def summary(records: list[Record]) -> str:
    """Geometric mean of the ratios to the best peer; how many rows are below 1, reach their goal, have no ratio."""
    found = [record["ratio"] for record in records if record["ratio"]]
    mean = f"geometric mean of best peer/ours {geometric_mean(found):.2f} over {len(found)} rows, " if found else ""
    wanted = [record for record in records if record.get("goal")]
    reached = sum((record["ratio"] or 0.0) >= record["goal"] for record in wanted)
    return (
        f"{mean}{sum(ratio < 1 for ratio in found)} below 1.0, {reached} of {len(wanted)} goals reached, "
        f"{len(records) - len(found)} without a ratio"
    )


def coverage(records: list[Record]) -> str:
    """In how many rows each runtime has figures, of those that it was asked for."""
    names = dict.fromkeys(name for record in records for name in record["runners"])
    counts = []
    for name in names:
        asked = [record["runners"][name] for record in records if name in record["runners"]]
        counts.append(f"{name} {sum('median' in found for found in asked)} of {len(asked)}")
    return f"rows with figures: {', '.join(counts)}"
