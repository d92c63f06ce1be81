"""One page that opens by itself: style, script and data are inside, and nothing is loaded from anywhere.

Names in it come from files that nobody vouches for. They reach the page as JSON in which `<` is escaped, the script
writes them as text only, and the page's content security policy runs no script but its own.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from importlib import resources
from math import isfinite
from string import Template
from typing import Any

SCRIPTS = ("numbers.js", "draw.js", "parts.js", "looks.js", "page.js")


def page(data: Mapping[str, Any], title: str) -> str:
    """The page as text."""
    style = _text("page.css")
    script = "(() => {\n" + "\n".join(map(_text, SCRIPTS)) + "})();\n"
    return Template(_text("page.html")).substitute(
        title=escape(title.encode("utf-8", "replace").decode()),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=json_for_html(data),
    )


def json_for_html(data: Mapping[str, Any]) -> str:
    """JSON that ends no element and opens none; numbers that JSON does not have are null."""
    text = json.dumps(_plain(data), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _text(name: str) -> str:
    return resources.files("engine.explaining").joinpath("page", name).read_text("utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
