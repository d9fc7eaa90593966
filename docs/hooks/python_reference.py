"""The public names of the Python packages, for mkdocstrings, which reads their signatures and docstrings."""

import ast
from pathlib import Path

PACKAGES = ("inference", "exporting", "core.errors", "models", "lit_models", "data")
# The records that a reading consists of; the package has many more, which JSON files and the HTTP interface hold.
SCHEMAS = "text_recognizer.core.schemas"
RECORDS = ("Page", "Region", "Line", "Word", "Timing")


def python(root: Path) -> str:
    """Return a section for each public package, with its public classes and functions."""
    parts = []
    for package in PACKAGES:
        names, what = _public(root / "src/text_recognizer" / package.replace(".", "/"))
        parts += [f"## text_recognizer.{package}", what, *(f"::: text_recognizer.{package}.{name}" for name in names)]
    parts += [
        f"## {SCHEMAS}",
        "What `Transcription.to_record` returns.",
        *(f"::: {SCHEMAS}.{name}" for name in RECORDS),
    ]
    return "\n\n".join(parts)


def _public(place: Path) -> tuple[list[str], str]:
    """Return the names that a package or module exports, and the text above its code."""
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    names = listed[0] if listed else [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return sorted(names), ast.get_docstring(tree) or ""
