"""`python -m tests.fuzz.guided TARGET`: mutants led by coverage, for as long as you like. Needs `pip install atheris`.

The bytes that Atheris makes replace those that a seed would make: HDF5, JSON or a picture.
"""

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["engine", "json", "PIL"]):
    from engine.frontend import open_model, strict_json
    from engine.images.decode import decode
    from tests.fuzz.targets import allowed


def hdf5(content: bytes) -> None:
    """A model file."""
    with open_model(content) as network:
        for weight in network.graph.weights():
            weight.read()


def text(content: bytes) -> None:
    """The JSON of a description."""
    strict_json.parse(content, "it")


def image(content: bytes) -> None:
    """A picture."""
    decode(content, 3)


TARGETS = {"hdf5": hdf5, "text": text, "image": image}


def main() -> None:
    """Run until something that is not allowed comes out."""
    target = sys.argv.pop(1)

    def attempt(content: bytes) -> None:
        with suppress(*allowed(target)):
            TARGETS[target](content)

    atheris.Setup(sys.argv, attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
