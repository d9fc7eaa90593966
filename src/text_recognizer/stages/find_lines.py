"""The stage that finds the lines of pages in other formats than IAM's, and writes them as forms in IAM's layout."""

from text_recognizer.core.layout import Layout, pretrained_model
from text_recognizer.core.params import Params
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.page_sources import IAM_FORMAT, raw_archive
from text_recognizer.preprocess.found_lines import FoundLines, write_found_lines
from text_recognizer.stages.strip_reader import page_reader
from text_recognizer.utils.files import replace_atomically


def run(params: Params, layout: Layout) -> list[FoundLines]:
    """Write an archive for each of `data.sources` that is not in IAM's layout to `layout.found_lines`.

    The pretrained reader matches lines without places with their texts. Raises DataError if a source cannot be used.
    """
    entries = [entry for entry in params.data.sources if entry.format != IAM_FORMAT]
    read = page_reader(pretrained_model()) if entries else None
    found = []
    with replace_atomically(layout.found_lines) as draft:
        draft.mkdir()
        for entry in entries:
            assert read
            with open_corpus(raw_archive(entry, layout.raw), entry.format) as corpus:
                found.append(write_found_lines(corpus, entry, read, raw_archive(entry, draft)))
    return found
