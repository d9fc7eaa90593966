"""Crop the forms of all sources and pack them split by split. The bytes do not depend on the number of workers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from text_recognizer.core.data_params import DataSection
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.params import PreprocessSection, SyntheticSection
from text_recognizer.corpora import corrections as correction_files
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.packed_lines import AddLine, line_writer
from text_recognizer.corpora.packed_pages import PackedPage, data_kind, packed_sources, write_source, write_split
from text_recognizer.corpora.page_sources import PageSource, open_sources
from text_recognizer.preprocess.crop_jobs import (
    NOTHING_LEFT_OUT,
    Chunk,
    Crop,
    LeftOutLabels,
    Spread,
    Work,
    crop_chunk,
    crop_picture,
    draw_chunk,
    locally,
)
from text_recognizer.preprocess.synthetic_pages import synthetic_writers
from text_recognizer.utils.files import replace_atomically, write_json

# Forms that a worker gets at a time: their canvases take about 6 MB for IAM.
CHUNK = 16
SHOWN_FAULTS = 20
CORRECTIONS_FILE = "feedback.json"


def no_fault(_: Crop) -> str | None:
    """Find no fault in a crop."""
    return None


@dataclass(frozen=True)
class Corrections:
    """The folder of corrections, and the names of those that a validation accepted.

    `fault` says what is wrong with the crop of one; None if it is as all crops must be.
    """

    folder: Path
    accepted: tuple[str, ...] = ()
    fault: Callable[[Crop], str | None] = no_fault


@dataclass(frozen=True)
class Sources:
    """Where the pages come from: archives, corrections of their pages, and the section of added synthetic forms.

    `left_out` are training lines, and whole forms, whose texts are wrong.
    """

    pages: tuple[PageSource, ...]
    data: DataSection
    corrections: Corrections | None = None
    synthetic: SyntheticSection | None = None
    left_out: LeftOutLabels = NOTHING_LEFT_OUT


@dataclass(frozen=True)
class Packed:
    """What was packed: the number of pages in each split.

    `joined` are the corrections in the training split, `refused` the other corrections, and lines of those that
    joined, with the reason for each.
    `synthetic` is the number of synthetic pages in the training split and `lines` the number of lines packed on their
    own. `outside` are the ids of lines that were left out because they lie mostly outside their pictures.
    """

    counts: dict[str, int]
    joined: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    synthetic: int = 0
    lines: int = 0
    outside: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return the counts, and one line for each correction and each line that was left out."""
        counts = ", ".join(f"{count} {split}" for split, count in self.counts.items())
        parts = [f"{len(self.joined)} of train are corrections"] if self.joined else []
        parts += [f"{self.synthetic} of train are synthetic"] if self.synthetic else []
        of_train = f" ({', '.join(parts)})" if parts else ""
        lines = f"; {self.lines} lines" if self.lines else ""
        left_out = {**self.refused, **dict.fromkeys(self.outside, "most of the line lies outside its picture")}
        return "\n".join(
            [f"packed: {counts}{of_train}{lines}", *(f"left out {name}: {why}" for name, why in left_out.items())]
        )


@dataclass
class Tally:
    """What cropping has found so far: the forms that cannot be cropped, with the reasons, and counts of lines."""

    faults: dict[str, str] = field(default_factory=dict)
    lines: int = 0
    outside: list[str] = field(default_factory=list)


@dataclass
class _CroppedCorrections:
    joined: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    crops: list[Crop] = field(default_factory=list)


def pack(
    sources: Sources,
    section: PreprocessSection,
    out: Path,
    spread: Spread | None = None,
    check: Callable[[Path], None] | None = None,
) -> Packed:
    """Write each split, `source.json` and `feedback.json` to the folder `out`.

    The accepted corrections and `section.synthetic_forms` synthetic forms join the training split. If
    `section.line_height` is not 0, `<split>-lines.npy` and `<split>-lines.jsonl` are written too. `spread` distributes
    the cropping, by default over the processes of this machine. `check` gets the finished folder and may raise.

    Raises DataError if forms cannot be cropped, naming all of them, or if data.exclude names an unknown form or a
    split is empty; ConfigError if synthetic forms are added to synthetic data. On failure the previous output is kept.
    """
    splits = _read_splits(sources)
    corrections = _crop_corrections(sources.corrections, section)
    drawing, writers = _plan_drawing(sources.synthetic, section, sources.data)
    counts = {split: sum(map(len, splits[split])) for split in SPLITS}
    synthetic = section.synthetic_forms if writers else 0
    counts["train"] += len(corrections.crops) + synthetic
    named = packed_sources(sources.data)
    spread = spread or locally(0)
    crop = partial(_crop_part, sources, section, spread, bool(named))
    tally = Tally()
    total = sum(counts.values()) - len(corrections.crops)
    with replace_atomically(out) as draft, tqdm(total=total, desc="crop", unit="form") as bar:
        draft.mkdir()
        for split in SPLITS:
            crops: Iterable[Crop] = _sound_crops(crop(splits[split]), tally, bar)
            if split == "train":
                crops = chain(crops, corrections.crops, _sound_crops(spread(drawing, writers), tally, bar))
            _write_split(draft, split, counts[split], section, crops, tally)
        if tally.faults:
            raise _cropping_failed(sources.pages, tally.faults)
        write_json(draft / CORRECTIONS_FILE, {"joined": corrections.joined, "refused": corrections.refused})
        write_source(draft, data_kind(sources.data), named)
        if check:
            check(draft)
    return Packed(counts, tuple(corrections.joined), corrections.refused, synthetic, tally.lines, tuple(tally.outside))


def _read_splits(sources: Sources) -> dict[str, list[list[str]]]:
    """Return the form ids of each part of each source, without the excluded ones: a list for each source."""
    with open_sources(sources.pages, sources.data.exclude) as opened:
        splits = {split: [one.parts[split] for one in opened] for split in SPLITS}
    left_out = sources.left_out.forms
    splits["train"] = [[form_id for form_id in ids if form_id not in left_out] for ids in splits["train"]]
    for split, ids in splits.items():
        if not any(ids):
            names = ", ".join(str(source.archive) for source in sources.pages)
            fix = "set the split of an entry in data.sources to one that its archive has"
            raise DataError(f"the {split} split of {names} is empty", fix)
    return splits


def _crop_part(
    sources: Sources, section: PreprocessSection, spread: Spread, named: bool, ids: Sequence[list[str]]
) -> Iterator[list[Crop]]:
    """Yield the crops of a part, source by source. The pages name their source if they are `named`."""
    for source, of_source in zip(sources.pages, ids, strict=True):
        name = source.name if named else ""
        archive = source.archive.resolve()
        work = partial(crop_chunk, archive, section, source=name, left_out=sources.left_out.lines)
        yield from spread(work, _chunks(of_source, CHUNK))


def _crop_corrections(corrections: Corrections | None, section: PreprocessSection) -> _CroppedCorrections:
    """Crop the accepted corrections. The others, and those that cannot be cropped, are refused with a reason."""
    out = _CroppedCorrections()
    if corrections is None:
        return out
    for name in correction_files.list_ids(corrections.folder):
        if name not in corrections.accepted:
            out.refused[name] = "no validation accepted it"
            continue
        try:
            correction = correction_files.read(corrections.folder, name)
            crop = crop_picture(name, correction.form, correction.picture, section)
        except DataError as error:
            out.refused[name] = error.what
            continue
        if fault := corrections.fault(crop):
            out.refused[name] = fault
            continue
        out.refused.update({f"{name}, {line}": "the line cannot be labelled" for line in correction.left_out})
        out.joined.append(name)
        out.crops.append(crop)
    return out


def _plan_drawing(
    synthetic: SyntheticSection | None, section: PreprocessSection, data: DataSection
) -> tuple[Work, list[Chunk]]:
    """Return the work that draws the synthetic forms, and its chunks of writers."""
    if not section.synthetic_forms or not synthetic:
        return (lambda _: []), []
    if any(entry.address == "synthetic" for entry in data.sources):
        raise ConfigError(
            "preprocess.synthetic_forms adds synthetic forms to real ones, but one of data.sources is synthetic itself",
            "set preprocess.synthetic_forms to 0, and set the number of forms with synthetic.train_forms",
        )
    writers = list(synthetic_writers(synthetic, section.synthetic_forms))
    return partial(draw_chunk, synthetic, section), _chunks(writers, max(1, CHUNK // synthetic.forms_per_writer))


def _chunks(ids: Sequence[str], size: int) -> list[Chunk]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _sound_crops(chunks: Iterable[list[Crop]], tally: Tally, bar: "tqdm[Any]") -> Iterator[Crop]:
    """Yield the crops in order. A form that cannot be cropped is added to the tally instead."""
    for crops in chunks:
        for crop in crops:
            bar.update()
            if crop.fault:
                tally.faults[crop.id] = crop.fault
            else:
                yield crop


def _write_split(
    draft: Path, split: str, count: int, section: PreprocessSection, crops: Iterable[Crop], tally: Tally
) -> None:
    shape = (section.canvas_height, section.canvas_width)
    try:
        with line_writer(draft, split, section.line_height) if section.line_height else nullcontext() as add:
            write_split(draft, split, count, shape, _pages(crops, add, tally))
    except ValueError:
        # With faulty forms there are fewer pages than announced. The faults themselves are reported later.
        if not tally.faults:
            raise


def _pages(crops: Iterable[Crop], add: AddLine | None, tally: Tally) -> Iterator[tuple[np.ndarray, PackedPage]]:
    """Yield the pages one by one. The lines of a page are packed just before it."""
    for crop in crops:
        if add:
            for picture, line in crop.lines:
                add(picture, line)
        tally.lines += len(crop.lines)
        tally.outside += crop.outside
        if crop.page and crop.canvas is not None:
            yield crop.canvas, crop.page


def _cropping_failed(sources: Sequence[PageSource], faults: dict[str, str]) -> DataError:
    names = ", ".join(str(source.archive) for source in sources)
    named = [what if form_id in what else f"{form_id}: {what}" for form_id, what in sorted(faults.items())]
    more = [f"and {len(named) - SHOWN_FAULTS} more"] if len(named) > SHOWN_FAULTS else []
    lines = "\n    ".join(named[:SHOWN_FAULTS] + more)
    ids = ", ".join(sorted(faults)[:SHOWN_FAULTS])
    return DataError(
        f"{len(faults)} of the forms in {names} cannot be cropped; all others can:\n    {lines}",
        f"correct them, or leave them out with data.exclude: [{ids}]",
    )
