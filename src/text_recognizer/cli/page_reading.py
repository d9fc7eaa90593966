"""Read the pages of many files, in this process or in several: open, read, write, one page after the other."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from text_recognizer.cli.page_files import PageFile
from text_recognizer.core.errors import ConfigError, DataError, TextRecognizerError
from text_recognizer.core.output_formats import CrossedOut, OutputFormat
from text_recognizer.exporting import PictureSource, write_page
from text_recognizer.inference import Recognizer
from text_recognizer.pages.opening import OpenedPage, open_pages
from text_recognizer.pages.page_selection import PageSelection
from text_recognizer.utils.files import replace_atomically
from text_recognizer.utils.workers import stream_through_processes

Report = Callable[[TextRecognizerError], None]


@dataclass(frozen=True)
class Order:
    """How to read: the model's folder, the format, and what becomes of printed lines and of crossed-out words.

    Pages go to files in the folder `output`, where existing files are kept unless `force` is set. If it is None, the
    outcomes hold the contents. `pages` selects pages of every file. `jobs` is the number of processes; 0 means one for
    each core.
    """

    model: Path
    kind: OutputFormat
    printed: bool = False
    crossed_out: CrossedOut = "mark"
    output: Path | None = None
    force: bool = False
    pages: PageSelection | None = None
    jobs: int = 1


@dataclass(frozen=True, eq=False)
class PageTask:
    """An opened page, and the file that is written for it."""

    opened: OpenedPage
    target: Path | None


@dataclass(frozen=True)
class ReadOutcome:
    """A page that was read: which one, its content in the format, or what went wrong.

    `content` is empty if it went to a file. `has_text` says whether any text was found on the page.
    """

    name: str
    number: int
    count: int
    content: bytes = b""
    has_text: bool = False
    error: DataError | None = None


def read_files(files: list[PageFile], order: Order, report: Report) -> Iterator[ReadOutcome]:
    """Read the pages of files and yield an outcome for each page, in order. A page that is done is left out.

    `report` is told what is wrong with a file that cannot be opened; the others are read.

    Raises:
        ConfigError: an output would replace a file that is read.
        ModelError: the model cannot be loaded.
    """
    if order.output:
        _require_other_files(files, order.output, order.kind)
    tasks = (task for file in files for task in _open_file(file, order, report))
    return stream_through_processes(partial(_read_page, order), tasks, "--jobs", order.jobs)


def _require_other_files(files: list[PageFile], output: Path, kind: OutputFormat) -> None:
    inputs = {file.path.resolve() for file in files if file.path}
    for file in files:
        target = file.output(output, kind)
        if target.resolve() in inputs:
            raise ConfigError(f"{target} would be replaced by its own output", "name another folder with --output")


def _open_file(file: PageFile, order: Order, report: Report) -> Iterator[PageTask]:
    """Yield the pages of a file that are still to be read."""
    if order.output and not order.force and file.output(order.output, order.kind).exists():
        return
    pages = order.pages or _from_first_missing(file, order)
    try:
        source = sys.stdin.buffer.read() if file.path is None else file.path
        for opened in open_pages(source, file.name, pages):
            task = PageTask(opened, _target(file, opened, order))
            if order.force or task.target is None or not task.target.exists():
                yield task
    except TextRecognizerError as error:
        report(error)
    except OSError as error:
        report(DataError(f"{file.name} cannot be opened: {error.strerror or error}", "check the file"))


def _target(file: PageFile, opened: OpenedPage, order: Order) -> Path | None:
    if order.output is None:
        return None
    return file.output(order.output, order.kind, opened.number if opened.count > 1 else None)


def _from_first_missing(file: PageFile, order: Order) -> PageSelection | None:
    """Select the pages from the last one of the first pages that are done, so that the others need not be opened."""
    if order.output is None or order.force:
        return None
    done = 0
    while file.output(order.output, order.kind, done + 1).exists():
        done += 1
    return PageSelection.parse(f"{done}-") if done else None


@cache
def _recognizer(model: Path, threads: int) -> Recognizer:
    return Recognizer.load(model, threads)


def _read_page(order: Order, task: PageTask) -> ReadOutcome:
    """Read a page and write it in the format, to its file if it has one."""
    opened = task.opened
    outcome = ReadOutcome(opened.name, opened.number, opened.count)
    recognizer = _recognizer(order.model, 0 if order.jobs == 1 else 1)
    try:
        page = recognizer.read(opened.rgb, printed=order.printed, crossed_out=order.crossed_out).to_record()
    except DataError as error:
        return replace(outcome, error=error)
    source = PictureSource(
        Path(opened.name).name if order.kind != "json" else opened.name,
        opened.rgb,
        opened.number,
        opened.count,
        model=recognizer.digest,
        runtime=recognizer.runtime,
    )
    content = write_page(page, source, order.kind)
    outcome = replace(outcome, has_text=bool(page.text))
    if task.target is None:
        return replace(outcome, content=content)
    with replace_atomically(task.target) as draft:
        draft.write_bytes(content)
    return outcome
