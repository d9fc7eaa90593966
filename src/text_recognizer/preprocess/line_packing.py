"""Pack lines of transcribed pages: find each line's text, compose canvases, and write the splits for training."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text_recognizer.core.charset import count_characters, to_label
from text_recognizer.core.data_params import IamSplit
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.params import PreprocessSection
from text_recognizer.corpora.packed_pages import SOURCE_FILE, PackedPage, write_source, write_split
from text_recognizer.pages.line_finding import LineFinder
from text_recognizer.pages.strips import STRIP_DPI, STRIP_HEIGHT
from text_recognizer.preprocess.line_alignment import LeftOut, Reason, match_lines, match_stretches
from text_recognizer.preprocess.line_canvases import (
    LabelledStrip,
    compose_canvas,
    fits,
    from_png,
    group_strips,
    to_png,
)
from text_recognizer.preprocess.line_geometry import match_places
from text_recognizer.preprocess.line_sources import FormFile, LinePage, PageFile, list_pages
from text_recognizer.utils.files import replace_atomically

PACKED_SUFFIXES = (".npy", ".jsonl")
PACKED_NAMES = (SOURCE_FILE, "feedback.json")
RECIPE_FIX = "take the parameters of recipes/lines.yaml"


@dataclass(frozen=True, eq=False)
class ReadStrip:
    """A line that was found on a page: `pixels`, uint8 (STRIP_HEIGHT, W), and what was read or is known to be on it."""

    pixels: np.ndarray
    text: str


# Finds the lines of a page, uint8 RGB (H, W, 3), and reads them.
ReadPage = Callable[[np.ndarray], Sequence[ReadStrip]]


@dataclass(frozen=True)
class LineSources:
    """Transcribed pages in any format: `train`, and `validation`, else the validation parts of `train`.

    `page_share` is the share of the training forms of archives that join the training split as whole pages too, and
    `split` the split of those archives.
    """

    train: tuple[Path, ...]
    validation: tuple[Path, ...] = ()
    page_share: float = 0.25
    split: IamSplit = "aachen"


@dataclass
class PackedPart:
    """What was found on the pages of one split, and what was left out; `faults` are pages that cannot be read.

    `unaccented` counts the letters whose accents were removed, and `unknown` the characters outside the charset.
    """

    num_pages: int = 0
    strips: list[LabelledStrip] = field(default_factory=list)
    whole: list[tuple[bytes, PackedPage]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    unaccented: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    num_canvases: int = 0

    def summary(self, split: str) -> str:
        """Return the counts, the lines left out for each reason, characters, and the pages that cannot be read."""
        whole = f" and {len(self.whole)} whole pages" if self.whole else ""
        counts = Counter(one.reason for one in self.left_out)
        characters = (
            ("outside the charset, in the lines left out", self.unknown),
            ("labelled without their accents", self.unaccented),
        )
        return "\n".join(
            [
                f"{split}: {len(self.strips)} lines of {self.num_pages} pages on {self.num_canvases} canvases{whole}",
                *(f"  left out {count}: {reason}" for reason, count in counts.most_common()),
                *(f"  {what}: {count_characters(counted)}" for what, counted in characters if counted),
                *(f"  left out {name}: {why}" for name, why in self.faults.items()),
            ]
        )


@dataclass(frozen=True)
class PackedLineCanvases:
    """What was packed in each split."""

    parts: dict[str, PackedPart]

    def summary(self) -> str:
        """Return a text about each split."""
        return "\n".join(part.summary(split) for split, part in self.parts.items())


def pack_lines(
    sources: LineSources, section: PreprocessSection, read: ReadPage, out: Path, seed: int = 1
) -> PackedLineCanvases:
    """Write the splits `train` and `validation`, and `source.json`, to the folder `out`. No test split is written.

    Canvases have the size of `section`. In the training split only, lines are degraded, and ruled paper is drawn under
    them. The result is a function of the arguments.

    Raises:
        ConfigError: `section` asks for canvases of another resolution than strips have, or `out` holds other files.
        DataError: a source cannot be used; a page is in both splits; or a split has no lines.
    """
    _require_canvas(section)
    _require_packed_folder(out)
    pages = {
        "train": list_pages(sources.train, sources.split, "train", unlisted=True),
        "validation": list_pages(
            sources.validation or sources.train, sources.split, "validation", unlisted=bool(sources.validation)
        ),
    }
    _require_disjoint(pages)
    whole = _chosen_forms(pages["train"], sources.page_share, seed)
    with replace_atomically(out) as draft:
        draft.mkdir()
        parts = {}
        for split, files in pages.items():
            parts[split] = collect_strips(files, section, read, split, whole if split == "train" else frozenset())
            write_canvases(draft, split, parts[split], section, seed)
        write_source(draft, "archive")
    return PackedLineCanvases(parts)


def _require_canvas(section: PreprocessSection) -> None:
    if section.dpi != STRIP_DPI or section.canvas_height < STRIP_HEIGHT:
        raise ConfigError(
            f"lines have {STRIP_DPI} dpi and a height of {STRIP_HEIGHT} px, but preprocess asks for canvases of "
            f"{section.dpi} dpi and {section.canvas_height} px",
            RECIPE_FIX,
        )


def _require_packed_folder(out: Path) -> None:
    """Raise ConfigError if a folder holds other files than packed splits: the folder is replaced as a whole."""
    for path in sorted(out.iterdir()) if out.is_dir() else ():
        if path.name not in PACKED_NAMES and path.suffix not in PACKED_SUFFIXES:
            raise ConfigError(f"{out} would be replaced, but it holds {path.name}", "name a new folder with --out")


def _require_disjoint(pages: dict[str, list[PageFile]]) -> None:
    """Raise DataError if a split has no pages, or if a page is in both."""
    for split, files in pages.items():
        if not files:
            raise DataError(f"the sources have no pages for the {split} split", _missing_fix(split))
    names = [{file.place for file in files} for files in pages.values()]
    if common := set.intersection(*names):
        raise DataError(
            f"{len(common)} pages are both for training and for validation, for instance {min(common)}",
            "name other sources with --validation, or write train.list and validation.list",
        )


def _missing_fix(split: str) -> str:
    if split == "train":
        return "name a folder of pages with texts, or an archive with training forms"
    return "name pages with --validation, or write a validation.list into the folder"


def _chosen_forms(files: Sequence[PageFile], share: float, seed: int) -> frozenset[PageFile]:
    """Return the forms that are packed as whole pages."""
    forms = [file for file in files if isinstance(file, FormFile)]
    order = np.random.default_rng((seed, len(forms))).permutation(len(forms))
    return frozenset(forms[index] for index in order[: round(share * len(forms))])


def collect_strips(
    files: Sequence[PageFile],
    section: PreprocessSection,
    read: ReadPage,
    split: str,
    whole: frozenset[PageFile] = frozenset(),
) -> PackedPart:
    """Find the strips of pages and their texts. The forms in `whole` are kept as whole pages too.

    Raises DataError if no page has any strip whose text is known.
    """
    part = PackedPart(num_pages=len(files))
    for file in tqdm(files, desc=f"{split}: read pages", unit="page", file=sys.stderr):
        try:
            page = file.open(section)
        except DataError as error:
            part.faults[file.name] = error.what
            continue
        add_page(part, file.id, page, read, section.canvas_width)
        if page.canvas and file in whole:
            part.whole.append((to_png(page.canvas[0]), page.canvas[1]))
    if not part.strips:
        fault = next(iter(part.faults.values()), "no line was found with its text")
        raise DataError(f"no lines for the {split} split: {fault}", "check the texts, or name a better --model")
    return part


def add_page(part: PackedPart, page_id: str, page: LinePage, read: ReadPage, width: int) -> None:
    """Add the strips of a page whose text is known, and what is left out. `width` is that of a canvas."""
    texts = _place_texts(part, page) if page.has_places else _read_texts(part, page, read(page.rgb))
    _add_strips(part, page_id, page.writer, texts, width)


def _read_texts(part: PackedPart, page: LinePage, strips: Sequence[ReadStrip]) -> list[ReadStrip]:
    """Match the lines of a page with its strips by what was read on them."""
    readings = [strip.text for strip in strips]
    found = match_lines(page.texts, readings) if page.has_line_breaks else match_stretches(page.texts[0], readings)
    part.left_out += found.left_out
    return [ReadStrip(strips[match.strip].pixels, match.text) for match in found.matches]


def _place_texts(part: PackedPart, page: LinePage) -> list[ReadStrip]:
    """Match the lines of a page with the text that is found where they lie."""
    placed = match_places(_finder().find(page.rgb), page.lines)
    part.left_out += placed.left_out
    return [ReadStrip(strip.pixels, strip.line.text) for strip in placed.strips]


@cache
def _finder() -> LineFinder:
    """Return the network that finds lines. It is loaded when the first page needs it."""
    return LineFinder.load()


def _add_strips(part: PackedPart, page_id: str, writer: str, strips: Iterable[ReadStrip], width: int) -> None:
    """Add the strips of a page whose text is usable, without accents."""
    for strip in strips:
        label = to_label(strip.text)
        part.unknown.update(label.unknown)
        if label.unknown:
            part.left_out.append(LeftOut(strip.text, Reason.UNKNOWN_CHARACTERS))
        elif not fits(strip.pixels.shape[1], width):
            part.left_out.append(LeftOut(strip.text, Reason.TOO_LONG))
        else:
            part.unaccented.update(label.unaccented)
            part.strips.append(LabelledStrip.of(strip.pixels, label.text, page_id, writer))


def write_canvases(folder: Path, split: str, part: PackedPart, section: PreprocessSection, seed: int) -> None:
    """Write a split: canvases of strips, and whole pages among them, in a random order.

    The lines of a split named `train` are degraded, and ruled paper is drawn under some of them.
    """
    shape = (section.canvas_height, section.canvas_width)
    rng = np.random.default_rng(seed)
    groups = group_strips(part.strips, section.canvas_height, rng)
    part.num_canvases = len(groups)
    count = len(groups) + len(part.whole)

    def canvases() -> Iterator[tuple[np.ndarray, PackedPage]]:
        for number in rng.permutation(count):
            if number < len(groups):
                own = np.random.default_rng((seed, int(number)))
                yield compose_canvas(f"lines-{number:05}", groups[number], shape, own, degraded=split == "train")
            else:
                png, page = part.whole[number - len(groups)]
                yield from_png(png), page

    bar = tqdm(canvases(), total=count, desc=f"{split}: write canvases", unit="canvas", file=sys.stderr)
    write_split(folder, split, count, shape, bar)
