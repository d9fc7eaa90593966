"""The parameters of `params.yaml` with their values, ranges and meanings, from the sections that check them."""

import json
from pathlib import Path

from markdown_text import table
from pydantic.fields import FieldInfo

from text_recognizer.core import config
from text_recognizer.core.data_params import ShareSplit, SourceEntry
from text_recognizer.core.params import Params
from text_recognizer.core.sections import Section


def params(root: Path) -> str:
    """Return a section for each section of `params.yaml`, and one for what an entry of `data.sources` holds."""
    values = config.load(root / "params.yaml")
    parts = []
    for name, field in Params.model_fields.items():
        section = getattr(values, name)
        written = section.model_dump(mode="json", exclude_unset=True)
        fields = type(section).model_fields.items()
        rows = [_row(key, json.dumps(written.get(key, rule.default)), rule) for key, rule in fields]
        parts += [f"## {field.alias or name}", table(("parameter", "as shipped", "allowed", "meaning"), rows)]
        if name == "data":
            parts += ["### An entry of data.sources", _entry(SourceEntry)]
            parts += ["### A split by shares", _entry(ShareSplit)]
    return "\n\n".join(parts)


def _entry(section: type[Section]) -> str:
    """Return the table of a section that stands inside a list or in place of a value."""
    rows = [
        _row(key, "" if rule.is_required() else json.dumps(rule.default), rule)
        for key, rule in section.model_fields.items()
    ]
    return table(("key", "without it", "allowed", "meaning"), rows)


def _row(key: str, value: str, rule: FieldInfo) -> tuple[str, str, str, str]:
    return f"`{key}`", f"`{value}`" if value else "must be given", config.allowed_range(rule), rule.description or ""
