"""The stage that finds the lines of pages in other formats than IAM's, and writes them as forms in IAM's layout."""

from pathlib import Path

from text_recognizer.core.data_params import SourceEntry
from text_recognizer.core.layout import Layout, pretrained_model
from text_recognizer.core.params import Params
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.page_sources import IAM_FORMAT, raw_archive
from text_recognizer.preprocess.found_lines import FoundLines, write_found_lines
from text_recognizer.preprocess.line_packing import ReadPage
from text_recognizer.stages.strip_reader import page_reader
from text_recognizer.utils.files import replace_atomically


def run(params: Params, layout: Layout) -> list[FoundLines]:
    """Write an archive for each of `data.sources` that is not in IAM's layout to `layout.found_lines`.

    The pretrained reader matches lines without places with their texts. Raises DataError if a source cannot be used.
    """
    entries = [entry for entry in params.data.sources if entry.format != IAM_FORMAT]
    with replace_atomically(layout.found_lines) as draft:
        draft.mkdir()
        if not entries:
            return []
        read = page_reader(pretrained_model())
        return [_find(entry, read, layout.raw, draft) for entry in entries]


def _find(entry: SourceEntry, read: ReadPage, raw: Path, found: Path) -> FoundLines:
    with open_corpus(raw_archive(entry, raw), entry.format) as corpus:
        return write_found_lines(corpus, entry, read, raw_archive(entry, found))
