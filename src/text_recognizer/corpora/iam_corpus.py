"""The forms of an archive in IAM's layout as transcribed pages."""

from pathlib import Path
from typing import ClassVar

from text_recognizer.core.data_params import IamSplit
from text_recognizer.corpora.corpus_base import Corpus, Format
from text_recognizer.corpora.iam import Form, IamArchive
from text_recognizer.corpora.transcribed_pages import LabelledLine, PagePicture, TranscribedPage


class IamCorpus(Corpus):
    """The forms of an archive. `split` is the one of the archive's splits that `own_parts` returns.

    The boxes of lines are in pixels of the 300 dpi scan, whatever the resolution of the pictures is.
    """

    format: ClassVar[Format] = "iam"

    def __init__(self, address: Path, split: IamSplit = "aachen") -> None:
        super().__init__(address)
        self.archive = IamArchive(address)
        self.split = split

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the forms that have a picture and labels."""
        return tuple(self.archive.form_ids)

    def page(self, page_id: str) -> TranscribedPage:
        """Return a form; its group is its writer. Raises DataError if its labels are damaged."""
        picture = PagePicture(
            self.archive.picture_name(page_id),
            f"{self.address}: {page_id}",
            lambda: self.archive.picture_bytes(page_id),
        )
        return page_of_form(page_id, self.archive.form(page_id), picture)

    def own_parts(self) -> dict[str, tuple[str, ...]]:
        """Return the ids in each part of the archive's split. Raises DataError if it has no such split."""
        return {part: tuple(ids) for part, ids in self.archive.splits(self.split).items()}

    def close(self) -> None:
        """Close the archive."""
        self.archive.__exit__(None, None, None)


def page_of_form(page_id: str, form: Form, picture: PagePicture) -> TranscribedPage:
    """Return a form as a page, whose group is the writer of the form."""
    lines = (LabelledLine(line.text, line.id, polygon=line.box.corners if line.box else ()) for line in form.lines)
    return TranscribedPage(page_id, form.writer, picture, tuple(lines), (form.width, form.height))
