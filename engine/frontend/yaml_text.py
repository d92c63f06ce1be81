"""YAML from a file that nobody vouches for: plain data only. Needs PyYAML."""

from typing import Any

from engine.errors import LimitExceededError, ModelFileError
from engine.frontend.files import MAX_TEXT

MAX_ITEMS = 2_000_000


def parse_yaml(text: bytes, what: str) -> Any:
    """The value of `text`; tuples become lists. Any other tag that names a Python object is refused."""
    if len(text) > MAX_TEXT:
        raise LimitExceededError(f"{what} is {len(text)} bytes long; at most {MAX_TEXT} are accepted")
    try:
        import yaml
    except ImportError:
        raise ModelFileError(f"{what} needs PyYAML to be read: `pip install numba-infer[yaml]`") from None

    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.add_constructor("tag:yaml.org,2002:python/tuple", loader.construct_sequence)
    try:
        value = yaml.load(text, loader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{what} cannot be read: {' '.join(str(error).split())[:200]}") from None
    _check_size(value, what)
    return value


def _check_size(value: Any, what: str) -> None:
    """Aliases can stand for more than a machine can hold: count what they stand for."""
    todo, count = [value], 0
    while todo:
        item = todo.pop()
        count += 1
        if count > MAX_ITEMS:
            raise LimitExceededError(f"{what} stands for more than {MAX_ITEMS} values")
        if isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, list):
            todo += item
