"""Measure how the error rate of whole pictures grows as they get worse, and with the number of lines on a page.

`python -m text_recognizer.benchmarks.page_robustness` uses synthetic pages; name a folder to use its pictures, each
with a .txt or PAGE XML. Every perturbation is the same at each run. The score is defined in `text_error`.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text_recognizer.benchmarks.page_readers import OwnReader
from text_recognizer.benchmarks.page_truth import known_pages
from text_recognizer.benchmarks.perturbed_pictures import PICTURE_PERTURBATIONS
from text_recognizer.benchmarks.sample_pages import SamplePage, composed_pages, sample_pages
from text_recognizer.benchmarks.text_error import FileScore, score_file, summarise_files
from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.evaluation.robustness import Perturbation
from text_recognizer.pages.opening import open_pages
from text_recognizer.utils.files import write_json

REPORT = Path("runs/page_robustness.json")
COMPOSED_LINES = (1, 5, 20, 40, 60)
COMPOSED = "composed"
ReadPicture = Callable[[np.ndarray], str]  # uint8 RGB (H, W, 3) to text


@dataclass(frozen=True)
class RobustnessRow:
    """The error rate of the pages after one perturbation, the number of pages, and that of their characters."""

    name: str
    strength: float
    unit: str
    cer: float | None
    pages: int
    characters: int


def measure_pages(
    read: ReadPicture,
    pages: Sequence[SamplePage],
    perturbations: Sequence[Perturbation] = PICTURE_PERTURBATIONS,
) -> Iterator[RobustnessRow]:
    """Read the pages after each perturbation at each strength, and yield a row for it."""
    for one in perturbations:
        for strength in one.strengths:
            scores = [_score(read, page, one.apply(page.rgb, strength)) for page in pages]
            yield _row(one.name, strength, one.unit, scores)


def measure_lengths(read: ReadPicture, lines: Sequence[int] = COMPOSED_LINES) -> Iterator[RobustnessRow]:
    """Read a synthetic page of each number of lines, and yield a row for it."""
    for count, page in zip(lines, composed_pages(lines), strict=True):
        yield _row(COMPOSED, count, "lines", [_score(read, page, page.rgb)])


def table(rows: Sequence[RobustnessRow]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| pictures | strength | CER | pages | characters |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        strength = f"{row.strength:g} {row.unit}" if row.unit else "-"
        cer = "-" if row.cer is None else f"{100 * row.cer:.1f} %"
        lines.append(f"| {row.name} | {strength} | {cer} | {row.pages} | {row.characters} |")
    return "\n".join(lines)


def pages_of_folder(folder: Path, listed: Path | None, count: int) -> list[SamplePage]:
    """Return up to `count` pages with text, spread evenly over the folder. A file of several pages is left out.

    Raises DataError if the folder has no such page, or if one cannot be opened.
    """
    known = [page for page in known_pages(folder, listed) if page.text.strip() and page.path.suffix.lower() != ".pdf"]
    if not known:
        raise ConfigError(f"{folder} has no picture with text", "name a folder of pictures, each with a .txt")
    chosen = np.unique(np.linspace(0, len(known) - 1, min(count, len(known))).round().astype(int))
    return [SamplePage(known[at].name, next(open_pages(known[at].path)).rgb, known[at].text) for at in chosen]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the figures to a JSON file."""
    options = _parser().parse_args(arguments)
    try:
        reader = OwnReader.load(options.model)
        if options.pages:
            pages = pages_of_folder(options.pages, options.list, options.count)
        else:
            pages = sample_pages(options.count)
        rows = _measure(reader.read_picture, pages)
    except TextRecognizerError as error:
        print(f"page_robustness: {error}", file=sys.stderr)
        return error.exit_status
    print(table(rows))
    write_json(options.out, {"model": reader.version, "rows": [asdict(row) for row in rows]})
    return 0


def _measure(read: ReadPicture, pages: Sequence[SamplePage]) -> list[RobustnessRow]:
    total = sum(len(one.strengths) for one in PICTURE_PERTURBATIONS) + len(COMPOSED_LINES)
    with tqdm(total=total, desc="perturb", unit="row") as bar:
        rows = []
        for measured in (measure_pages(read, pages), measure_lengths(read)):
            for row in measured:
                rows.append(row)
                bar.update()
    return rows


def _score(read: ReadPicture, page: SamplePage, picture: np.ndarray) -> FileScore:
    return score_file(page.name, "", page.text, read(picture))


def _row(name: str, strength: float, unit: str, scores: Sequence[FileScore]) -> RobustnessRow:
    summary = summarise_files(scores)
    return RobustnessRow(name, strength, unit, summary.cer, len(scores), summary.characters)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="page_robustness", description=__doc__)
    parser.add_argument("pages", nargs="?", type=Path, help="a folder of pictures with text; default: synthetic pages")
    parser.add_argument("--list", type=Path, metavar="FILE", help="names of the files to take, one a line")
    parser.add_argument("--count", type=int, default=4, help="pages that are perturbed (%(default)s)")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="default: the pretrained reader")
    parser.add_argument("--out", type=Path, default=REPORT, metavar="FILE", help="%(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
