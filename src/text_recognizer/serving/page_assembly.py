"""Assemble the page for people from its parts. It is one file, so that a strict policy can forbid it all others."""

from functools import cache
from pathlib import Path

PARTS = Path(__file__).with_name("page")
# In this order: each may use what those before it define.
SCRIPTS = ("state.js", "reading.js", "picture.js", "lines.js", "correcting.js", "saving.js", "memory.js", "main.js")
STYLE_MARK, SCRIPT_MARK = "/*STYLE*/", "/*SCRIPT*/"


@cache
def page_html() -> str:
    """Return the page, with its style and its scripts inside."""
    script = "\n".join(_part(name) for name in SCRIPTS)
    return _part("index.html").replace(STYLE_MARK, _part("style.css")).replace(SCRIPT_MARK, script)


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")
