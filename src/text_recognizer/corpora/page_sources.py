"""The sources of `data.sources` as the stages read them: archives in IAM's layout, and how each is divided and used."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.core.data_params import DataSection, ShareSplit, SourceEntry
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_splits import divide_by_shares
from text_recognizer.corpora.iam import SPLITS, IamArchive

IAM_FORMAT = "iam"
FOUND_SPLIT = "aachen"  # the lists that an archive of found lines has: of form ids


@dataclass(frozen=True)
class PageSource:
    """A source: its entry of `data.sources`, and the archive in IAM's layout that has its pages.

    With `has_found_lines`, the forms are sheets of the lines that were found on pages of another format.
    """

    entry: SourceEntry
    archive: Path

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.entry.label

    @property
    def has_found_lines(self) -> bool:
        """Whether the forms are sheets of lines that were found on pages of another format."""
        return self.entry.format != IAM_FORMAT

    def parts(self, iam: IamArchive) -> dict[str, list[str]]:
        """Return the form ids of each part. Raises DataError if the archive has no such split."""
        if self.has_found_lines:
            return iam.splits(FOUND_SPLIT)
        if isinstance(self.entry.split, ShareSplit):
            groups = {form_id: iam.writer(form_id) or form_id for form_id in iam.form_ids}
            return {part: list(ids) for part, ids in divide_by_shares(groups, self.entry.split).items()}
        return iam.splits(self.entry.split)


def raw_archive(entry: SourceEntry, raw: Path) -> Path:
    """Return where a source lies once it is fetched."""
    return raw / f"{entry.label}.zip"


def page_sources(data: DataSection, raw: Path, found_lines: Path) -> tuple[PageSource, ...]:
    """Return the sources whose pages lie in `raw`, or in `found_lines` if they were not in IAM's layout."""
    folders = ((entry, raw if entry.format == IAM_FORMAT else found_lines) for entry in data.sources)
    return tuple(PageSource(entry, raw_archive(entry, folder)) for entry, folder in folders)


@dataclass(frozen=True)
class OpenSource:
    """A source whose archive is open: its form ids, of each part and in all, without the excluded ones."""

    source: PageSource
    iam: IamArchive
    parts: dict[str, list[str]]
    ids: tuple[str, ...]
    excluded: tuple[str, ...]


@contextmanager
def open_sources(sources: Sequence[PageSource], exclude: Sequence[str]) -> Iterator[tuple[OpenSource, ...]]:
    """Open the archives of the sources. `ids` are those of all pictures and labels; `exclude` are ids to leave out.

    Raises DataError if an archive is missing or damaged or lacks the lists of its split, or if `exclude` names a form
    that none of them has.
    """
    with ExitStack() as stack:
        opened = tuple(_opened(source, stack.enter_context(IamArchive(source.archive)), exclude) for source in sources)
        if unknown := set(exclude) - {form_id for one in opened for form_id in (*one.ids, *one.excluded)}:
            names = ", ".join(str(source.archive) for source in sources)
            raise DataError(
                f"data.exclude names forms that {names} does not have: {', '.join(sorted(unknown))}",
                "remove them from data.exclude",
            )
        yield opened


def _opened(source: PageSource, iam: IamArchive, exclude: Sequence[str]) -> OpenSource:
    everything = sorted({*iam.picture_ids, *iam.label_ids})
    parts = source.parts(iam)
    return OpenSource(
        source,
        iam,
        {part: [form_id for form_id in parts[part] if form_id not in exclude] for part in SPLITS},
        tuple(form_id for form_id in everything if form_id not in exclude),
        tuple(form_id for form_id in everything if form_id in exclude),
    )
