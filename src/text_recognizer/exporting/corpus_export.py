"""Export a corpus: a folder with a picture and PAGE XML for each page, and the lists of its parts."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.corpora.corpus_base import Corpus
from text_recognizer.corpora.transcribed_pages import TranscribedPage
from text_recognizer.exporting.corpus_xml import corpus_page_xml
from text_recognizer.utils.files import replace_atomically

UNSAFE = re.compile(r"[^\w .()+,=@-]")  # characters that a file name may not have on some system


@dataclass
class ExportedCorpus:
    """What was exported, and the pages that were not, with the reason."""

    num_pages: int = 0
    num_lines: int = 0
    faults: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """Return a text: the counts, and a line for each page that was left out."""
        counts = f"{self.num_pages} pages with {self.num_lines} lines"
        return "\n".join([counts, *(f"  left out {name}: {why}" for name, why in self.faults.items())])


def export_corpus(corpus: Corpus, out: Path, created: datetime) -> ExportedCorpus:
    """Write all pages of a corpus to the new folder `out`. A page that cannot be read is left out.

    Raises:
        ConfigError: `out` exists and is not empty.
        DataError: no page can be read.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} exists already", "name a new folder with --output")
    result, names = ExportedCorpus(), {}
    with replace_atomically(out) as draft:
        draft.mkdir()
        for page_id in tqdm(corpus.ids, desc="export", unit="page", file=sys.stderr):
            try:
                page = corpus.page(page_id)
                names[page_id] = _write(draft, page, created)
            except DataError as error:
                result.faults[page_id] = error.what
                continue
            result.num_pages += 1
            result.num_lines += sum(bool(line.text) for line in page.lines)
        if not names:
            fault = next(iter(result.faults.values()), "it has none")
            raise DataError(f"no page of {corpus.address} can be exported: {fault}", "correct the pages")
        _write_lists(draft, corpus.parts(), names)
    return result


def _write(folder: Path, page: TranscribedPage, created: datetime) -> str:
    """Write a page and its picture, and return their name without a suffix. Raises DataError if it cannot be read."""
    _, fitted = page.open()
    name = UNSAFE.sub("_", page.id.replace("/", "_")).strip(". ") or "page"
    while (folder / f"{name}.xml").exists():
        name += "_"
    suffix = PurePosixPath(page.picture.name).suffix.lower() or ".png"
    picture = f"{name}{suffix}"
    (folder / picture).write_bytes(page.picture.read())
    (folder / f"{name}.xml").write_bytes(corpus_page_xml(fitted, picture, created))
    return name


def _write_lists(folder: Path, parts: Mapping[str, tuple[str, ...]], names: Mapping[str, str]) -> None:
    """Write a list of each part of a corpus."""
    for part, ids in parts.items():
        listed = [names[page_id] for page_id in ids if page_id in names]
        (folder / f"{part}.list").write_text("".join(f"{name}\n" for name in listed), encoding="utf-8")
