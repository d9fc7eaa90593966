"""The work of the preprocess stage in chunks that any process or machine can do."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.core.params import PreprocessSection, SyntheticSection
from text_recognizer.corpora.iam import Form, IamArchive
from text_recognizer.corpora.packed_lines import PackedLine
from text_recognizer.corpora.packed_pages import PackedPage
from text_recognizer.preprocess.crop import crop_lines, crop_paragraph, place_paragraph, without_lines
from text_recognizer.preprocess.synthetic_pages import draw_forms
from text_recognizer.utils.workers import map_in_processes


@dataclass(frozen=True)
class Crop:
    """One cropped form: its canvas, uint8 (H, W), and labels, or `fault`, the reason why it cannot be cropped.

    `lines` are its packed lines, if lines are packed, and `outside` the ids of lines mostly outside the picture.
    """

    id: str
    canvas: np.ndarray | None = None
    page: PackedPage | None = None
    fault: str = ""
    lines: Sequence[tuple[np.ndarray, PackedLine]] = ()
    outside: Sequence[str] = ()


@dataclass(frozen=True)
class LeftOutLabels:
    """The ids of training lines that are left out, and of forms that have no other lines."""

    lines: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()


NOTHING_LEFT_OUT = LeftOutLabels()


# The ids of some forms, or of some writers of synthetic forms.
Chunk = Sequence[str]
Work = Callable[[Chunk], list[Crop]]
# Does the work of every chunk, here or elsewhere, and yields the results in the order of the chunks.
Spread = Callable[[Work, Sequence[Chunk]], Iterator[list[Crop]]]


def crop_chunk(
    archive: Path, section: PreprocessSection, ids: Chunk, source: str = "", left_out: frozenset[str] = frozenset()
) -> list[Crop]:
    """Crop some forms of an archive. Any machine that can read the archive gets the same result.

    The pages name the `source`, unless it is empty. `left_out` are ids of lines that are painted over.
    """
    with IamArchive(archive) as iam:
        crops = [_crop_from_archive(iam, form_id, section, left_out) for form_id in ids]
    return [replace(crop, page=replace(crop.page, source=source)) if crop.page else crop for crop in crops]


def draw_chunk(synthetic: SyntheticSection, section: PreprocessSection, writers: Chunk) -> list[Crop]:
    """Draw the forms of some writers and crop them. The result is a function of the arguments."""
    forms = draw_forms(synthetic, section.synthetic_forms, writers)
    return [crop_picture(form.id, form, picture, section) for form, picture in forms]


def crop_picture(name: str, form: Form, picture: np.ndarray, section: PreprocessSection) -> Crop:
    """Crop the paragraph of a form and, if lines are packed, its lines. Raises DataError if that is impossible."""
    paragraph = crop_paragraph(form, picture, section)
    canvas, page = place_paragraph(paragraph, section)
    lines, outside = crop_lines(paragraph, section) if section.line_height else ([], [])
    return Crop(name, canvas, page, "", lines, outside)


def _crop_from_archive(iam: IamArchive, form_id: str, section: PreprocessSection, left_out: frozenset[str]) -> Crop:
    try:
        form, picture = iam.form(form_id), iam.picture(form_id)
        if any(line.id in left_out for line in form.lines):
            form, picture = without_lines(form, picture, left_out)
        return crop_picture(form_id, form, picture, section)
    except DataError as error:
        return Crop(form_id, fault=error.what)


def locally(workers: int) -> Spread:
    """Return a way to spread the work over `workers` processes of this machine; 0 means one per core."""

    def spread(work: Work, chunks: Sequence[Chunk]) -> Generator[list[Crop], None, None]:
        yield from map_in_processes(work, chunks, "runtime.workers", workers)

    return spread
