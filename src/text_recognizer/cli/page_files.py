"""Find the files to read, and name the files that are written for their pages."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.output_formats import SUFFIXES, OutputFormat

STANDARD_INPUT = "-"
# What counts as a page file in a folder. A file that is named itself is opened whatever its name.
PAGE_SUFFIXES = frozenset(
    [".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".heic", ".heif", ".avif", ".pdf"]
)
PAGE_DIGITS = 4


@dataclass(frozen=True)
class PageFile:
    """A file to read. `path` is None for standard input. `stem` is the name of its output, without a suffix."""

    path: Path | None
    stem: Path

    @property
    def name(self) -> str:
        """The name of the file in answers and messages."""
        return "standard input" if self.path is None else str(self.path)

    def output(self, folder: Path, kind: OutputFormat, page: int | None = None) -> Path:
        """Return the path of the output for the only page of the file, or for its page number `page`."""
        number = "" if page is None else f".p{page:0{PAGE_DIGITS}}"
        return folder / self.stem.parent / f"{self.stem.name}{number}{SUFFIXES[kind]}"


def find_page_files(names: Sequence[str], output: Path | None) -> tuple[list[PageFile], list[DataError]]:
    """Return the files behind the arguments of a command, and what is wrong with arguments that name none.

    A folder stands for the page files in it and below it, sorted; hidden files and what lies in `output` are left out.
    Output names keep the folders below the argument. Two files of one output name keep their suffixes in it. The same
    file is read once.

    Raises:
        ConfigError: standard input is named twice.
    """
    if names.count(STANDARD_INPUT) > 1:
        raise ConfigError("standard input is named twice", "write - once")
    found: dict[Path | None, Path] = {}
    problems = []
    for name in names:
        if name == STANDARD_INPUT:
            found[None] = Path("stdin")
        elif not (path := Path(name)).is_dir():
            found.setdefault(path, Path(path.name))
        elif inside := list(_files_below(path, output)):
            for file in inside:
                found.setdefault(file, file.relative_to(path))
        else:
            kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in PAGE_SUFFIXES))
            problems.append(DataError(f"{path} holds no pictures and no PDFs", f"name a folder with files of {kinds}"))
    return _with_stems(found), problems


def _files_below(folder: Path, output: Path | None) -> Iterator[Path]:
    """Yield the page files in a folder and below it, sorted by name, those of a folder before those of the next."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        shown = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in shown if output is None or not _same(here / name, output)]
        for name in sorted(files):
            if Path(name).suffix.lower() in PAGE_SUFFIXES and not name.startswith("."):
                yield here / name


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _with_stems(found: dict[Path | None, Path]) -> list[PageFile]:
    counts = Counter(name.with_suffix("") for name in found.values())
    return [
        PageFile(path, name if counts[name.with_suffix("")] > 1 else name.with_suffix(""))
        for path, name in found.items()
    ]
