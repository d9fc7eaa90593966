"""The preprocess stage: crop every form's paragraph, pack the splits and check the crops."""

from functools import partial

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.preprocess import Packed, Sources, Spread, locally, pack
from text_recognizer.preprocess.accepted_corrections import accepted_corrections
from text_recognizer.validation import check_crops


def run(params: Params, layout: Layout, spread: Spread | None = None) -> Packed:
    """Write the packed splits to `layout.processed` and the Data Docs of the crops.

    `spread` distributes the work over processes or machines; by default the processes of this machine. Raises
    DataError if forms cannot be cropped, if the crops are not valid, or if the validation summary is damaged.
    """
    check = partial(check_crops, section=params.preprocess, docs=layout.crop_docs)
    corrections = accepted_corrections(layout.feedback, layout.validation)
    sources = Sources(layout.archive, params.data, corrections, params.synthetic)
    spread = spread or locally(params.runtime.workers)
    return pack(sources, params.preprocess, layout.processed, spread, check)
