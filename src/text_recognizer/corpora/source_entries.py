"""Entries of `data.sources` as YAML, and how one is added to `params.yaml`, whose other lines stay as they are."""

import re
from pathlib import Path

import yaml

from text_recognizer.core import config
from text_recognizer.core.data_params import SourceEntry
from text_recognizer.core.errors import ConfigError
from text_recognizer.utils.files import replace_atomically

BY_HAND = "add the entry by hand; `text-recognizer import` without --add prints it"


def entry_yaml(entry: SourceEntry) -> str:
    """Return an entry as a YAML list of one item, without what has its usual value, but with all shares."""
    values = entry.model_dump(mode="json", exclude_defaults=True) | entry.model_dump(mode="json", include={"split"})
    text: str = yaml.safe_dump([values], sort_keys=False, allow_unicode=True, width=10_000)
    return text


def add_source(path: Path, entry: SourceEntry) -> None:
    """Add an entry at the end of `data.sources` in the file `path`.

    Raises ConfigError, and leaves the file as it is, if its parameters are not valid before or after that, or if its
    list of sources is not written with an entry on lines of its own.
    """
    before = config.load(path)
    text = path.read_text(encoding="utf-8")
    changed = _with_entry(text, entry_yaml(entry))
    if changed is None:
        raise ConfigError(f"the list data.sources of {path} is not written line by line", BY_HAND)
    with replace_atomically(path) as draft:
        draft.write_text(changed, encoding="utf-8")
        after = config.load(draft)
        if after.data.sources != (*before.data.sources, entry):
            raise ConfigError(f"the entry would not become a part of data.sources in {path}", BY_HAND)


def _with_entry(text: str, item: str) -> str | None:
    """Return the text with the item after the last one of `data.sources`; None if there is no such list of lines."""
    block = re.search(r"^data:[^\n]*\n((?:[ \t#][^\n]*\n|\n)*)", text, re.MULTILINE)
    of_sources = r"^( +)sources:[ \t]*(?:#[^\n]*)?\n((?:\1(?: |-)[^\n]*\n)+)"
    items = re.search(of_sources, block[1], re.MULTILINE) if block else None
    if block is None or items is None:
        return None
    indent = re.match(" *", items[2])
    assert indent
    end = block.start(1) + items.end(2)
    added = "".join(f"{indent[0]}{line}\n" for line in item.splitlines())
    return text[:end] + added + text[end:]
