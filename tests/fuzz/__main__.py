"""`python -m tests.fuzz [--count N] [--first SEED] [TARGET...]`: try mutants and print a line for each target."""

import argparse
import sys

from tests.fuzz.runner import fuzz

NAMES = ("hdf5", "config", "sizes", "text", "archive", "member", "attacks", "image")


def main() -> int:
    """The number of problems, as exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", default=NAMES)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000, help="mutants of each target")
    options = parser.parse_args()
    found = 0
    for target in options.targets:
        tally = fuzz(target, options.first, options.count)
        outcomes = ", ".join(f"{count} {name}" for name, count in tally.outcomes.most_common())
        seeds = f"{options.first} to {options.first + options.count - 1}"
        print(
            f"| {target} | {seeds} | {tally.count} | {outcomes} | {tally.slowest:.1f} s | "
            f"{tally.grown >> 20} MiB | {len(tally.problems)} |",
            flush=True,
        )
        for seed, problem in tally.problems.items():
            print(f"\n{target} {seed}: {problem}", file=sys.stderr)
        found += len(tally.problems)
    return min(found, 100)


if __name__ == "__main__":
    sys.exit(main())
