"""Count what the reader invents on pictures without handwriting, by class.

`python -m text_recognizer.benchmarks.no_writing FOLDER` reads the pictures of a folder. The class of a picture is its
name without the number at its end: `scene_07.jpg` is of the class `scene`. Without a folder, pictures are drawn;
`--draw FOLDER` writes them as PNG files.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from text_recognizer.benchmarks.no_writing_pictures import EmptyPicture, draw_pictures, fonts_of
from text_recognizer.benchmarks.page_readers import OwnReader
from text_recognizer.benchmarks.page_truth import known_pages
from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.pages.opening import open_pages
from text_recognizer.utils.files import write_json

REPORT = Path("runs/no_writing.json")
ReadPicture = Callable[[np.ndarray], str]  # uint8 RGB (H, W, 3) to text


@dataclass(frozen=True)
class InventedText:
    """A picture without handwriting, its class, and the text that was read on it."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class InventedRow:
    """Of the pictures of a class: how many there are, how many gave text, how much, and those that gave text."""

    kind: str
    pictures: int
    with_text: int
    lines: int
    characters: int
    names: tuple[str, ...]


def pictures_of_folder(folder: Path, listed: Path | None = None) -> Iterator[EmptyPicture]:
    """Yield the pages of the files of a folder that have no text beside them, or an empty one.

    Raises DataError if the folder has no such file, or if one cannot be opened.
    """
    pages = [page for page in known_pages(folder, listed, no_writing=True) if not page.text.strip()]
    if not pages:
        raise ConfigError(f"all pictures in {folder} have text", "name a folder of pictures without writing")
    for page in pages:
        for one in open_pages(page.path):
            yield EmptyPicture(class_of(page.path), page.path.name, one.rgb)


def class_of(path: Path) -> str:
    """Return the name of a file without its suffix and without the number at its end."""
    return re.sub(r"[_-]*\d+$", "", path.stem) or path.stem


def invent(read: ReadPicture, pictures: Iterable[EmptyPicture]) -> list[InventedText]:
    """Read pictures, and return what was read on each."""
    return [InventedText(one.name, one.kind, read(one.rgb)) for one in pictures]


def rows_of(texts: Sequence[InventedText]) -> list[InventedRow]:
    """Sum up by class, in alphabetical order; the last row is of all pictures."""
    kinds = sorted({one.kind for one in texts})
    return [*(_row(kind, [one for one in texts if one.kind == kind]) for kind in kinds), _row("all", texts)]


def table(rows: Sequence[InventedRow]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| class | pictures | with text | lines | characters |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {r.kind} | {r.pictures} | {r.with_text} | {r.lines} | {r.characters} |" for r in rows]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the figures to a JSON file; or draw the pictures."""
    options = _parser().parse_args(arguments)
    try:
        if options.draw:
            return _draw(options)
        pictures = pictures_of_folder(options.pages, options.list) if options.pages else _drawn(options)
        reader = OwnReader.load(options.model)
        rows = rows_of(invent(reader.read_picture, pictures))
    except TextRecognizerError as error:
        print(f"no_writing: {error}", file=sys.stderr)
        return error.exit_status
    print(table(rows))
    write_json(options.out, {"model": reader.version, "rows": [asdict(row) for row in rows]})
    return 0


def _drawn(options: argparse.Namespace) -> Iterator[EmptyPicture]:
    return draw_pictures(options.count, options.seed, fonts_of(options.fonts))


def _draw(options: argparse.Namespace) -> int:
    options.draw.mkdir(parents=True, exist_ok=True)
    for one in _drawn(options):
        Image.fromarray(one.rgb).save(options.draw / f"{one.name}.png")
    return 0


def _row(kind: str, texts: Sequence[InventedText]) -> InventedRow:
    found = [one for one in texts if one.text.strip()]
    lines = sum(len(one.text.splitlines()) for one in found)
    characters = sum(len(" ".join(one.text.split())) for one in found)
    return InventedRow(kind, len(texts), len(found), lines, characters, tuple(one.name for one in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="no_writing", description=__doc__)
    parser.add_argument("pages", nargs="?", type=Path, help="a folder of pictures; default: drawn ones")
    parser.add_argument("--list", type=Path, metavar="FILE", help="names of the files to take, one a line")
    parser.add_argument("--draw", type=Path, metavar="FOLDER", help="write the drawn pictures here, and read nothing")
    parser.add_argument("--count", type=int, default=10, help="drawn pictures of each class (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the drawn pictures (%(default)s)")
    parser.add_argument("--fonts", type=Path, metavar="FOLDER", help="fonts of print; default: those of the package")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="default: the pretrained reader")
    parser.add_argument("--out", type=Path, default=REPORT, metavar="FILE", help="%(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
