"""The preprocess stage: crop every form's paragraph, pack the splits and check the crops."""

from functools import partial

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params, PreprocessSection
from text_recognizer.corpora.page_sources import page_sources
from text_recognizer.preprocess import Packed, Sources, Spread, locally, pack
from text_recognizer.preprocess.accepted_corrections import accepted_corrections, left_out_labels
from text_recognizer.preprocess.crop_jobs import Crop
from text_recognizer.validation import check_crops, crop_fault


def run(params: Params, layout: Layout, spread: Spread | None = None) -> Packed:
    """Write the packed splits to `layout.processed` and the Data Docs of the crops.

    `spread` distributes the work over processes or machines; by default the processes of this machine. Raises
    DataError if forms cannot be cropped, if the crops are not valid, or if the validation summary is damaged.
    """
    check = partial(check_crops, section=params.preprocess, docs=layout.crop_docs)
    fault = partial(_crop_fault, params.preprocess)
    corrections = accepted_corrections(layout.feedback, layout.validation, fault)
    pages = page_sources(params.data, layout.raw, layout.found_lines)
    left_out = left_out_labels(layout.validation)
    sources = Sources(pages, params.data, corrections, params.synthetic, left_out)
    spread = spread or locally(params.runtime.workers)
    return pack(sources, params.preprocess, layout.processed, spread, check)


def _crop_fault(section: PreprocessSection, crop: Crop) -> str | None:
    assert crop.canvas is not None
    assert crop.page
    return crop_fault(crop.canvas, crop.page, crop.lines, section)
