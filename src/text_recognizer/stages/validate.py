"""The validate stage: check the archive with Great Expectations and write the Data Docs."""

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.utils.files import write_json
from text_recognizer.validation import Outcome, validate


def run(params: Params, layout: Layout) -> Outcome:
    """Validate `layout.archive` and write the summary and the Data Docs.

    The reference that the next validation compares with is replaced only if the data are valid. The caller decides
    what a failed validation means: see `Outcome.passed`. Raises DataError if the archive cannot be read.
    """
    outcome = validate(layout.archive, params, layout.data_docs, layout.feedback, layout.accepted)
    write_json(layout.validation, outcome.summary.model_dump(mode="json"))
    if outcome.passed:
        write_json(layout.accepted, outcome.reference.model_dump(mode="json"))
    return outcome
