"""The table that `pytest bench/kernels.py` ends with."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    session = getattr(terminalreporter.config, "_benchmarksession", None)
    rows = [b for b in getattr(session, "benchmarks", ()) if "percent_of_peak" in b.extra_info]
    if not rows:
        return
    terminalreporter.write_line("")
    terminalreporter.write_line(f"one thread, {rows[0].extra_info['isa']}, median of {rows[0].stats.rounds} rounds")
    terminalreporter.write_line(f"{'kernel':58} {'us':>9} {'GFLOP/s':>8} {'% of peak':>9} {'GB/s':>6}")
    for row in rows:
        info = row.extra_info
        name = row.name.partition("[")[2].rstrip("]")
        numbers = f"{info['microseconds']:9.1f} {info['gflops']:8.1f} {info['percent_of_peak']:9.1f}"
        terminalreporter.write_line(f"{name:58} {numbers} {info['gigabytes_per_second']:6.1f}")
