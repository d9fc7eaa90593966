"""All forms of an archive, cropped and packed split by split: the same bytes on any number of workers."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text_recognizer.config import DataSection, PreprocessSection
from text_recognizer.data import feedback
from text_recognizer.data.iam import SPLITS, IamArchive
from text_recognizer.data.packed import Page, write_source, write_split
from text_recognizer.errors import DataError
from text_recognizer.files import replacing, write_json
from text_recognizer.preprocess.crop import crop_form
from text_recognizer.workers import in_processes

# One chunk is what a worker is given at a time: about 6 MB of canvases for IAM.
CHUNK = 16
NAMED = 20
JOINED = "feedback.json"


@dataclass(frozen=True)
class Corrections:
    """The feedback folder, and which of its corrections a validation accepted."""

    folder: Path
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crop:
    """A form's crop and labels, or why it has none."""

    id: str
    canvas: np.ndarray | None = None
    page: Page | None = None
    fault: str = ""


@dataclass(frozen=True)
class Packed:
    """How many pages each split has; of the training split's, which are corrections, and which were refused and why."""

    counts: dict[str, int]
    joined: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)

    def in_words(self) -> str:
        """The counts, and each correction that was left out."""
        counts = ", ".join(f"{count} {split}" for split, count in self.counts.items())
        joined = f" ({len(self.joined)} of train are corrections)" if self.joined else ""
        return "\n".join(
            [f"packed: {counts}{joined}", *(f"left out {name}: {why}" for name, why in self.refused.items())]
        )


Chunk = Sequence[str]
Work = Callable[[Chunk], list[Crop]]
# Does the work of every chunk somewhere, and gives the results in the order of the chunks.
Spread = Callable[[Work, Sequence[Chunk]], Iterator[list[Crop]]]


def pack(
    archive: Path,
    data: DataSection,
    section: PreprocessSection,
    out: Path,
    corrections: Corrections | None = None,
    spread: Spread | None = None,
    check: Callable[[Path], None] | None = None,
) -> Packed:
    """Writes each split and `source.json` to the folder `out`, accepted corrections with `train`.

    Every form is tried: where some cannot be cropped, the DataError names them all, and `out` stays as it was. `check`
    may refuse the finished folder in the same way. `spread` does the cropping, by default in processes of this machine.
    """
    splits = _splits(archive, data)
    joined, refused, extra = _corrections(corrections, section)
    spread = spread or partial(_locally, section.workers)
    faults: dict[str, str] = {}
    with replacing(out) as draft, tqdm(total=sum(map(len, splits.values())), desc="crop", unit="form") as bar:
        draft.mkdir()
        for split in SPLITS:
            more = extra if split == "train" else []
            crops = _cropped(archive.resolve(), splits[split], section, spread, faults, bar)
            _write(draft, split, len(splits[split]) + len(more), section, crops, more, faults)
        if faults:
            raise _unusable(archive, faults)
        write_json(draft / JOINED, {"joined": joined, "refused": refused})
        write_source(draft, data.source)
        if check:
            check(draft)
    counts = {split: len(splits[split]) + (len(extra) if split == "train" else 0) for split in SPLITS}
    return Packed(counts, tuple(joined), refused)


def crop_chunk(archive: Path, section: PreprocessSection, ids: Chunk) -> list[Crop]:
    """The crops of some forms; a pure function of the archive, so it may run on any machine that can read it."""
    with IamArchive(archive) as iam:
        return [_crop(iam, form_id, section) for form_id in ids]


def _crop(iam: IamArchive, form_id: str, section: PreprocessSection) -> Crop:
    try:
        canvas, page = crop_form(iam.form(form_id), iam.picture(form_id), section)
    except DataError as error:
        return Crop(form_id, fault=error.what)
    return Crop(form_id, canvas, page)


def _locally(workers: int, work: Work, chunks: Sequence[Chunk]) -> Generator[list[Crop], None, None]:
    yield from in_processes(work, chunks, "preprocess.workers", workers)


def _splits(archive: Path, data: DataSection) -> dict[str, list[str]]:
    with IamArchive(archive) as iam:
        if strangers := set(data.exclude) - {*iam.picture_ids, *iam.label_ids}:
            raise DataError(f"data.exclude names forms that {archive} lacks: {', '.join(sorted(strangers))}", "mend it")
        splits = {split: [i for i in ids if i not in data.exclude] for split, ids in iam.splits(data.split).items()}
    for split, ids in splits.items():
        if not ids:
            raise DataError(f"the {split} split of {archive} is empty", "set data.split to one that the archive has")
    return splits


def _corrections(
    corrections: Corrections | None, section: PreprocessSection
) -> tuple[list[str], dict[str, str], list[Crop]]:
    """The corrections that join the training split, those that do not with the reason, and the crops."""
    joined, refused, crops = [], {}, []
    for name in feedback.list_ids(corrections.folder) if corrections else []:
        if not corrections or name not in corrections.accepted:
            refused[name] = "no validation accepted it"
            continue
        try:
            correction = feedback.read(corrections.folder, name)
            canvas, page = crop_form(correction.form, correction.picture, section)
        except DataError as error:
            refused[name] = error.what
        else:
            joined.append(name)
            crops.append(Crop(name, canvas, page))
    return joined, refused, crops


def _cropped(
    archive: Path, ids: list[str], section: PreprocessSection, spread: Spread, faults: dict[str, str], bar: tqdm
) -> Iterator[Crop]:
    """The crops of a split in order. Forms at fault go into `faults` in their place."""
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    for crops in spread(partial(crop_chunk, archive, section), chunks):
        for crop in crops:
            bar.update()
            if crop.fault:
                faults[crop.id] = crop.fault
            else:
                yield crop


def _write(
    draft: Path,
    split: str,
    count: int,
    section: PreprocessSection,
    crops: Iterator[Crop],
    more: list[Crop],
    faults: dict[str, str],
) -> None:
    shape = (section.canvas_height, section.canvas_width)
    pages = (
        (crop.canvas, crop.page) for part in (crops, more) for crop in part if crop.page and crop.canvas is not None
    )
    try:
        write_split(draft, split, count, shape, pages)
    except ValueError:
        if not faults:
            raise


def _unusable(archive: Path, faults: dict[str, str]) -> DataError:
    named = [what if form_id in what else f"{form_id}: {what}" for form_id, what in sorted(faults.items())]
    more = [f"and {len(named) - NAMED} more"] if len(named) > NAMED else []
    lines = "\n    ".join(named[:NAMED] + more)
    ids = ", ".join(sorted(faults)[:NAMED])
    return DataError(
        f"{len(faults)} of the forms in {archive} cannot be cropped; all others can:\n    {lines}",
        f"mend them, or leave them out with data.exclude: [{ids}]",
    )
