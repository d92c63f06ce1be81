"""Cases for valgrind, which does not know AVX-512: every so many of all, on kernels of one class.

    PYTHONMALLOC=malloc valgrind --suppressions=tests/faults/valgrind.supp --undef-value-errors=no \\
        --error-exitcode=9 python -m tests.faults.valgrind x86-64-v3 9

Values that nobody has written are found otherwise: tests fill memory with NaN first.
"""

import sys

from engine.kernels.isa import find_isa
from tests.faults.cases import every_case
from tests.running import run_graph


def main(isa_name: str, step: str) -> None:
    """Print the name of each case before it runs."""
    isa = find_isa(isa_name)
    for case in list(every_case())[:: int(step)]:
        for algorithm in case.algorithms(isa):
            print(algorithm, case.name, flush=True)
            run_graph(case.graph, case.inputs, isa, algorithm=algorithm)


if __name__ == "__main__":
    main(*sys.argv[1:])
