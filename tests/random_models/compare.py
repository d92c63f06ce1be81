"""Random models against the Keras that made them.

    python -m tests.random_models.compare --python PYTHON --first 0 --count 100             # Keras 3
    python -m tests.random_models.compare --python PYTHON --first 0 --count 100 --tf-keras  # tf_keras

`PYTHON` is one with Keras. A line for each model and format that differs; exits with 1 where one does.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import engine
from tests.checking import assert_close

MAKE = Path(__file__).with_name("make.py")
FORMS = (".h5", ".keras", ".weights.h5", ".only.h5")


def make(python: str, folder: Path, first: int, count: int, package: str) -> None:
    """Have Keras write the models of so many seeds."""
    command = [python, str(MAKE), str(folder), str(first), str(count)]
    subprocess.run([*command, *(["--tf-keras"] if package == "tf_keras" else [])], check=True, capture_output=True)


def differences(folder: Path) -> Iterator[str]:
    """What differs, for each model and format in a folder."""
    for arrays in sorted(folder.glob("*.npz"), key=lambda path: int(path.stem)):
        for form in FORMS:
            path = arrays.with_name(arrays.stem + form)
            wrong = difference(path, arrays) if path.exists() else None
            if wrong is not None:
                yield f"{path.name}: {wrong}"


def difference(path: Path, arrays: Path) -> str | None:
    """What is wrong with one file; None where every output agrees."""
    with np.load(arrays) as data:
        inputs = [data[key] for key in data.files if key[0] == "x"]
        expected = [data[key] for key in data.files if key[0] == "y"]
    described = arrays.with_suffix(".json") if path.name.endswith((".weights.h5", ".only.h5")) else None
    try:
        model = engine.load_model(path, arch=described)
        found = model.predict(inputs if len(inputs) > 1 else inputs[0])
    except engine.EngineError as error:
        return str(error).replace(f"{path}: ", "")
    found = found if isinstance(found, list) else [found]
    if len(found) != len(expected):
        return f"{len(found)} outputs, expected {len(expected)}"
    for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        try:
            assert_close(ours, theirs, "values")
        except AssertionError as error:
            return f"output {i} ({model.output_names[i]}): {error}"
    return None


def main() -> None:
    """Parse the command line, make, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--tf-keras", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for the models, which stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        make(options.python, folder, options.first, options.count, "tf_keras" if options.tf_keras else "keras")
        wrong = 0
        for line in differences(folder):
            wrong += 1
            print(line, flush=True)
        print(f"{len(list(folder.glob('*.npz')))} models, {wrong} files differ")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
