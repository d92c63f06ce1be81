"""All of keras.applications in every form that Keras writes, against TensorFlow: a line each.

    python -m tests.applications.sweep --python PYTHON             # all of them; needs some 6 GB of disk at a time
    python -m tests.applications.sweep --python PYTHON --tf-keras  # the same of Keras 2
    python -m tests.applications.sweep --python PYTHON NAME...

`PYTHON` is one with Keras. Exits with 1 where a model is not computed or its numbers differ.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import engine
from tests.applications.families import FAMILIES
from tests.checking import assert_close

MAKE = Path(__file__).with_name("make.py")
FORMS = (".h5", ".keras", ".weights.h5", ".only.h5", ".features.h5", ".first.h5")


def make(python: str, name: str, package: str, folder: Path, everything: bool) -> None:
    """Have Keras write a model's files."""
    options = [*(["--tf-keras"] if package == "tf_keras" else []), *(["--all"] if everything else [])]
    made = subprocess.run([python, MAKE, folder, name, *options], capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"Keras did not make {name}: {made.stderr[-2000:]}")


def check(path: Path, name: str, form: str) -> None:
    """Compare one file's numbers with Keras's. Raises `AssertionError` or `EngineError`."""
    description = path.with_name(f"{name}.json") if form in (".weights.h5", ".only.h5") else None
    features = path.with_name(f"{name}.features.npz")
    with np.load(features if form == ".features.h5" else path.with_name(f"{name}.npz")) as arrays:
        x, y = arrays["x"], arrays["y"]
    model = engine.load_model(path, arch=description)
    found = model.predict(np.moveaxis(x, -1, 1) if form == ".first.h5" else x)
    assert_close(found, y, "values" if form == ".features.h5" else "logits")


def sweep(python: str, name: str, package: str) -> Iterator[tuple[str, str]]:
    """Each form of a model, and what is wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            make(python, name, package, Path(folder), everything=True)
        except RuntimeError as error:
            yield "", str(error)
        for form in FORMS:
            path = Path(folder) / f"{name}{form}"
            if path.exists():
                try:
                    check(path, name, form)
                    yield form, ""
                except (AssertionError, engine.EngineError) as error:
                    yield form, str(error).replace(folder, "")[:300]


def main() -> None:
    """Parse the command line, print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--python", required=True)
    parser.add_argument("--tf-keras", action="store_true")
    options = parser.parse_args()
    package, failed = "tf_keras" if options.tf_keras else "keras", False
    for name in options.names or FAMILIES:
        start = time.monotonic()
        found = dict(sweep(options.python, name, package))
        failed |= any(found.values())
        good = " ".join(form for form, wrong in found.items() if not wrong)
        print(f"{package} {name}: {good} agree ({time.monotonic() - start:.0f} s)", flush=True)
        for form, wrong in found.items():
            if wrong:
                print(f"  {form}: {wrong}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
