"""The codes of errors: those of the command line from the classes, those of the HTTP interface from its table."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_text import table

from text_recognizer.core.errors import TEMPORARY
from text_recognizer.serving.problems import KINDS, TYPE_PREFIX

BASE = "TextRecognizerError"
TROUBLESHOOTING = "../troubleshooting.md"


@dataclass(frozen=True)
class ErrorClass:
    """A class of errors, as its source says. `status` is the exit status, as it is written there."""

    name: str
    base: str
    code: str
    status: str
    meaning: str


def command_errors(root: Path) -> str:
    """Return the table of the codes that commands and flows print."""
    rows = (
        (f"[`{error.code}`]({TROUBLESHOOTING}#{error.code})", error.meaning, error.status, f"`{error.name}`")
        for error in sorted(error_classes(root), key=lambda error: error.code)
    )
    return table(("code", "meaning", "exit status", "class"), rows)


def http_errors(_: Path) -> str:
    """Return the table of the types that refusals of the service have."""
    rows = (
        (str(status), f"`{TYPE_PREFIX}{code}`", title, fix)
        for status, (code, title, fix) in sorted(KINDS.items())
        if fix
    )
    return table(("status", "`type`", "title", "what to do, if the answer does not say more"), rows)


def error_classes(root: Path) -> Iterator[ErrorClass]:
    """Yield TextRecognizerError and the classes below it. The source is parsed, because some import for seconds."""
    found = {error.name: error for file in _sources(root) for error in _classes(file)}
    for error in found.values():
        status = error.status
        base: ErrorClass | None = error
        while base and base.name != BASE:
            base = found.get(base.base)
            status = status or (base.status if base else "")
        if base:
            yield ErrorClass(error.name, error.base, error.code, status, error.meaning)


def _sources(root: Path) -> list[Path]:
    return [*sorted((root / "src").rglob("*.py")), *sorted((root / "flows").rglob("*.py"))]


def _classes(file: Path) -> Iterator[ErrorClass]:
    text = file.read_text(encoding="utf-8")
    if "Error" not in text:
        return
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and (code := _value(node, "code")):
            base = ast.unparse(node.bases[0]) if node.bases else ""
            status = _value(node, "exit_status").replace("TEMPORARY", str(TEMPORARY))
            meaning = (ast.get_docstring(node) or "").partition("\n\n")[0]
            yield ErrorClass(node.name, base, code, status, meaning)


def _value(node: ast.ClassDef, name: str) -> str:
    """Return what a class sets an attribute to, as text; nothing if it does not."""
    for part in node.body:
        if isinstance(part, ast.Assign | ast.AnnAssign) and part.value:
            target = part.targets[0] if isinstance(part, ast.Assign) else part.target
            if isinstance(target, ast.Name) and target.id == name:
                return str(part.value.value) if isinstance(part.value, ast.Constant) else ast.unparse(part.value)
    return ""
