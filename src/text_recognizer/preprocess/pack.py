"""All forms of an archive, cropped and packed split by split: the same bytes on any number of workers."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text_recognizer.config import DataSection, PreprocessSection
from text_recognizer.data.iam import SPLITS, IamArchive
from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.errors import DataError
from text_recognizer.files import replacing
from text_recognizer.preprocess.crop import crop_form
from text_recognizer.workers import in_processes

CHUNK = 16
Cropped = tuple[np.ndarray, Page]


def pack(archive: Path, data: DataSection, section: PreprocessSection, out: Path) -> dict[str, int]:
    """Writes `<split>.npy` and `<split>.jsonl` for each split to the folder `out`; returns how many pages each has."""
    with IamArchive(archive) as iam:
        if strangers := set(data.exclude) - {*iam.picture_ids, *iam.label_ids}:
            raise DataError(f"data.exclude names forms that {archive} lacks: {', '.join(sorted(strangers))}", "mend it")
        splits = {split: [i for i in ids if i not in data.exclude] for split, ids in iam.splits(data.split).items()}
    for split, ids in splits.items():
        if not ids:
            raise DataError(f"the {split} split of {archive} is empty", "set data.split to one that the archive has")
    with replacing(out) as draft, tqdm(total=sum(map(len, splits.values())), desc="crop", unit="form") as bar:
        draft.mkdir()
        for split in SPLITS:
            _pack_split(archive, splits[split], section, bar).save(draft, split)
    return {split: len(splits[split]) for split in SPLITS}


def _pack_split(archive: Path, ids: list[str], section: PreprocessSection, bar: tqdm) -> PackedSplit:
    canvases = np.empty((len(ids), section.canvas_height, section.canvas_width), dtype=np.uint8)
    pages = []
    for index, (canvas, page) in enumerate(_crops(archive, ids, section)):
        canvases[index] = canvas
        pages.append(page)
        bar.update()
    return PackedSplit(canvases, tuple(pages))


def _crops(archive: Path, ids: list[str], section: PreprocessSection) -> Iterator[Cropped]:
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    work = partial(_crop_chunk, archive, section)
    for crops in in_processes(work, chunks, "preprocess.workers", section.workers):
        yield from crops


def _crop_chunk(archive: Path, section: PreprocessSection, ids: list[str]) -> list[Cropped]:
    with IamArchive(archive) as iam:
        return [crop_form(iam.form(form_id), iam.picture(form_id), section) for form_id in ids]
