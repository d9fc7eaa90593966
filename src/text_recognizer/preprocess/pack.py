"""All forms of an archive, cropped and packed split by split: the same bytes on any number of workers."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text_recognizer.config import DataSection, PreprocessSection, SyntheticSection
from text_recognizer.data import feedback
from text_recognizer.data.iam import SPLITS, Form, IamArchive
from text_recognizer.data.packed import Page, write_source, write_split
from text_recognizer.data.packed_lines import Add, Line, writing
from text_recognizer.errors import ConfigError, DataError
from text_recognizer.files import replacing, write_json
from text_recognizer.preprocess.crop import cut_lines, cut_out, on_canvas
from text_recognizer.preprocess.drawn import draw, drawn_writers
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
    """A form's crop and labels, or why it has none; its lines, where they are packed, and those outside it."""

    id: str
    canvas: np.ndarray | None = None
    page: Page | None = None
    fault: str = ""
    lines: Sequence[tuple[np.ndarray, Line]] = ()
    outside: Sequence[str] = ()


@dataclass(frozen=True)
class Packed:
    """How many pages each split has; of the training split's, which are corrections, and which were refused and why.

    `drawn` is how many of the training split are synthetic, `lines` how many lines were packed on their own, `outside`
    names those that lie mostly outside their pictures.
    """

    counts: dict[str, int]
    joined: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    drawn: int = 0
    lines: int = 0
    outside: tuple[str, ...] = ()

    def in_words(self) -> str:
        """The counts, and each correction and line that was left out."""
        counts = ", ".join(f"{count} {split}" for split, count in self.counts.items())
        among = [f"{len(self.joined)} of train are corrections"] if self.joined else []
        among += [f"{self.drawn} of train are drawn"] if self.drawn else []
        joined = f" ({', '.join(among)})" if among else ""
        lines = f"; {self.lines} lines" if self.lines else ""
        left_out = {**self.refused, **dict.fromkeys(self.outside, "most of the line lies outside its picture")}
        return "\n".join(
            [f"packed: {counts}{joined}{lines}", *(f"left out {name}: {why}" for name, why in left_out.items())]
        )


@dataclass
class Tally:
    """What is found on the way: forms that cannot be cropped, and the lines."""

    faults: dict[str, str] = field(default_factory=dict)
    lines: int = 0
    outside: list[str] = field(default_factory=list)


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
    synthetic: SyntheticSection | None = None,
    spread: Spread | None = None,
    check: Callable[[Path], None] | None = None,
) -> Packed:
    """Writes each split and `source.json` to the folder `out`, accepted corrections with `train`.

    `section.drawn` forms that `synthetic` describes join `train` as well.
    Where `section.lines` gives a height, `<split>-lines.npy` and `<split>-lines.jsonl` as well.

    Every form is tried: where some cannot be cropped, the DataError names them all, and `out` stays as it was. `check`
    may refuse the finished folder in the same way. `spread` does the cropping, by default in processes of this machine.
    """
    splits = _splits(archive, data)
    joined, refused, extra = _corrections(corrections, section)
    drawing, writers = _drawing(synthetic, section, data)
    counts = {split: len(ids) for split, ids in splits.items()}
    counts["train"] += len(extra) + (section.drawn if writers else 0)
    crop = partial(crop_chunk, archive.resolve(), section)
    spread = spread or partial(_locally, section.workers)
    tally = Tally()
    with replacing(out) as draft, tqdm(total=sum(counts.values()) - len(extra), desc="crop", unit="form") as bar:
        draft.mkdir()
        for split in SPLITS:
            crops: Iterable[Crop] = _cropped(crop, _chunks(splits[split], CHUNK), spread, tally.faults, bar)
            if split == "train":
                crops = chain(crops, extra, _cropped(drawing, writers, spread, tally.faults, bar))
            _write(draft, split, counts[split], section, crops, tally)
        if tally.faults:
            raise _unusable(archive, tally.faults)
        write_json(draft / JOINED, {"joined": joined, "refused": refused})
        write_source(draft, data.source)
        if check:
            check(draft)
    return Packed(counts, tuple(joined), refused, section.drawn, tally.lines, tuple(tally.outside))


def crop_chunk(archive: Path, section: PreprocessSection, ids: Chunk) -> list[Crop]:
    """The crops of some forms; a pure function of the archive, so it may run on any machine that can read it."""
    with IamArchive(archive) as iam:
        return [_crop(iam, form_id, section) for form_id in ids]


def draw_chunk(synthetic: SyntheticSection, section: PreprocessSection, writers: Chunk) -> list[Crop]:
    """The crops of the forms of some writers, drawn on the spot; a pure function, as `crop_chunk` is."""
    drawn = draw(synthetic, section.drawn, writers)
    return [_crop_picture(name, form, picture, section) for name, form, picture in drawn]


def _crop(iam: IamArchive, form_id: str, section: PreprocessSection) -> Crop:
    try:
        return _crop_picture(form_id, iam.form(form_id), iam.picture(form_id), section)
    except DataError as error:
        return Crop(form_id, fault=error.what)


def _crop_picture(name: str, form: Form, picture: np.ndarray, section: PreprocessSection) -> Crop:
    cut = cut_out(form, picture, section)
    canvas, page = on_canvas(cut, section)
    lines, outside = cut_lines(cut, section) if section.lines else ([], [])
    return Crop(name, canvas, page, "", lines, outside)


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
            crop = _crop_picture(name, correction.form, correction.picture, section)
        except DataError as error:
            refused[name] = error.what
        else:
            joined.append(name)
            crops.append(crop)
    return joined, refused, crops


def _drawing(
    synthetic: SyntheticSection | None, section: PreprocessSection, data: DataSection
) -> tuple[Work, list[Chunk]]:
    """How `section.drawn` forms are drawn, and by whom. Raises ConfigError where the others are synthetic too."""
    if not section.drawn or not synthetic:
        return (lambda _: []), []
    if data.source == "synthetic":
        raise ConfigError(
            "preprocess.drawn adds synthetic forms to real ones, but data.source is synthetic itself",
            "set preprocess.drawn to 0, and synthetic.train_forms to how many there are to be",
        )
    writers = _chunks(list(drawn_writers(synthetic, section.drawn)), max(1, CHUNK // synthetic.forms_per_writer))
    return partial(draw_chunk, synthetic, section), writers


def _chunks(ids: Sequence[str], size: int) -> list[Chunk]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _cropped(work: Work, chunks: Sequence[Chunk], spread: Spread, faults: dict[str, str], bar: tqdm) -> Iterator[Crop]:
    """The crops of a split in order. Forms at fault go into `faults` in their place."""
    for crops in spread(work, chunks):
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
    crops: Iterable[Crop],
    tally: Tally,
) -> None:
    shape = (section.canvas_height, section.canvas_width)
    try:
        with writing(draft, split, section.lines) if section.lines else nullcontext() as add:
            write_split(draft, split, count, shape, _pages(crops, add, tally))
    except ValueError:
        if not tally.faults:
            raise


def _pages(crops: Iterable[Crop], add: Add | None, tally: Tally) -> Iterator[tuple[np.ndarray, Page]]:
    """The pages, one by one; the lines of each are added before it is given."""
    for crop in crops:
        if add:
            for picture, line in crop.lines:
                add(picture, line)
        tally.lines += len(crop.lines)
        tally.outside += crop.outside
        if crop.page and crop.canvas is not None:
            yield crop.canvas, crop.page


def _unusable(archive: Path, faults: dict[str, str]) -> DataError:
    named = [what if form_id in what else f"{form_id}: {what}" for form_id, what in sorted(faults.items())]
    more = [f"and {len(named) - NAMED} more"] if len(named) > NAMED else []
    lines = "\n    ".join(named[:NAMED] + more)
    ids = ", ".join(sorted(faults)[:NAMED])
    return DataError(
        f"{len(faults)} of the forms in {archive} cannot be cropped; all others can:\n    {lines}",
        f"mend them, or leave them out with data.exclude: [{ids}]",
    )
