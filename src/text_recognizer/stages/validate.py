"""The validate stage: check the archives with Great Expectations and write the Data Docs."""

from text_recognizer.core.layout import Layout, pretrained_model
from text_recognizer.core.params import Params
from text_recognizer.corpora.page_sources import page_sources
from text_recognizer.stages.strip_reader import line_reader
from text_recognizer.utils.files import write_json
from text_recognizer.validation import Beside, Outcome, validate


def run(params: Params, layout: Layout) -> Outcome:
    """Validate the archives of all sources and write the summary and the Data Docs.

    If `validate.audit` asks for it, the pretrained reader reads the training lines, to find labels that are wrong.

    The reference that the next validation compares with is replaced only if the data are valid. The caller decides
    what a failed validation means: see `Outcome.passed`. Raises DataError if an archive cannot be read.
    """
    sources = page_sources(params.data, layout.raw, layout.found_lines)
    read = line_reader(pretrained_model()) if params.validate_.audit != "none" else None
    beside = Beside(layout.feedback, layout.accepted, read)
    outcome = validate(sources, params, layout.data_docs, beside)
    write_json(layout.validation, outcome.summary.model_dump(mode="json"))
    if outcome.passed:
        write_json(layout.accepted, outcome.reference.model_dump(mode="json"))
    return outcome
