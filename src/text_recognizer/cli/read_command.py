"""The command `read`: print the text of pictures and PDFs, or write a file for each of their pages."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from text_recognizer.cli.command_options import Commands, add, add_model
from text_recognizer.cli.page_files import PageFile, find_page_files
from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.core.output_formats import CROSSED_OUT_CHOICES, FORMATS, SINGLE_PAGE

if TYPE_CHECKING:
    from tqdm import tqdm

    from text_recognizer.cli.page_reading import Order, ReadOutcome

SUMMARY = "read pictures, PDFs and folders of them: print the text, or write a file for each page"
DETAILS = """Pages of one file are separated by a form feed in text. With --output, each page becomes a file: photo.jpg
becomes photo.txt, and page 3 of scan.pdf becomes scan.p0003.txt. Repeat the command to go on where it stopped. The exit
status is 1 if a file could not be read; the others are read all the same."""


def add_read(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command `read`."""
    read = add(commands, "read", _read, SUMMARY)
    read.epilog = DETAILS
    what = "a picture, a PDF, a folder of them, or - for standard input"
    read.add_argument("paths", nargs="+", metavar="PATH", help=what)
    read.add_argument("--format", choices=FORMATS, default="text", dest="kind", help="default: %(default)s")
    read.add_argument("--json", action="store_const", const="json", dest="kind", help="the same as --format json")
    read.add_argument("--output", type=Path, metavar="FOLDER", help="write a file for each page; default: print")
    read.add_argument("--force", action="store_true", help="read again what is in the output folder already")
    read.add_argument("--pages", metavar="PAGES", help="pages of each file, such as 1,3-5 or 7-; default: all")
    read.add_argument("--printed", action="store_true", help="keep printed lines, which are left out otherwise")
    read.add_argument(
        "--crossed-out",
        choices=CROSSED_OUT_CHOICES,
        default="mark",
        help="crossed-out words: mark each by #, or drop them; default: %(default)s",
    )
    read.add_argument("--jobs", type=int, default=1, metavar="N", help="processes; 0: one for each core; default: 1")
    add_model(read)


def _read(options: argparse.Namespace) -> int:
    from text_recognizer.cli.page_reading import read_files

    order = _order(options)
    files, problems = find_page_files(options.paths, order.output)
    printer = Printer(order, files)
    for problem in problems:
        printer.report(problem)
    with printer.progress():
        for outcome in read_files(files, order, printer.report):
            printer.add(outcome)
    printer.finish()
    return printer.status


def _order(options: argparse.Namespace) -> "Order":
    """Return what the options ask for. Raises ConfigError if they contradict each other."""
    from text_recognizer.cli.page_reading import Order
    from text_recognizer.pages.page_selection import PageSelection

    if options.jobs < 0:
        raise ConfigError(f"--jobs {options.jobs} is negative", "give a number of processes, or 0 for all cores")
    if options.force and not options.output:
        raise ConfigError("--force without --output", "name the folder with --output")
    if options.output and options.output.exists() and not options.output.is_dir():
        raise ConfigError(f"{options.output} is not a folder", "name a folder with --output")
    if options.kind == "pdf" and not options.output and sys.stdout.isatty():
        raise ConfigError(
            "a PDF cannot be shown in a terminal", "redirect it to a file, or name a folder with --output"
        )
    pages = PageSelection.parse(options.pages) if options.pages is not None else None
    return Order(
        model=options.model,
        kind=options.kind,
        printed=options.printed,
        crossed_out=options.crossed_out,
        output=options.output,
        force=options.force,
        pages=pages,
        jobs=options.jobs,
    )


class Printer:
    """Show what is read: contents on standard output, problems and progress on standard error.

    `status` is the exit status. Text, Markdown and JSON are printed as soon as a page is read. The other formats are
    printed at the end, as one file.
    """

    def __init__(self, order: "Order", files: list[PageFile]) -> None:
        if order.kind in SINGLE_PAGE and not order.output and len(files) > 1:
            raise _too_many_pages(order.kind)
        self.status = 0
        self._order = order
        self._num_files = len(files)
        self._kept: list[bytes] = []
        self._last = ""
        self._bar: tqdm[NoReturn] | None = None

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show a progress bar on a terminal while the block runs, if that takes more than a second."""
        from tqdm import tqdm

        with tqdm(total=self._num_files, desc="read", unit="page", disable=None, delay=1, leave=False) as self._bar:
            yield

    def add(self, outcome: "ReadOutcome") -> None:
        """Print a page, or keep it for the end."""
        from text_recognizer.exporting import SEPARATORS

        self._advance(outcome)
        continued, self._last = outcome.name == self._last, outcome.name
        label = outcome.name if outcome.count == 1 else f"{outcome.name}, page {outcome.number}"
        if outcome.error:
            self.report(outcome.error)
        elif not outcome.has_text and self._order.kind in ("text", "markdown"):
            self._say(f"no writing was found on {label}")
        if outcome.error or self._order.output:
            return
        if self._order.kind in ("pdf", *SINGLE_PAGE):
            if self._kept and self._order.kind != "pdf":
                raise _too_many_pages(self._order.kind)
            self._kept.append(outcome.content)
        else:
            _write((SEPARATORS[self._order.kind] if continued else b"") + outcome.content)

    def report(self, error: TextRecognizerError) -> None:
        """Print what is wrong with a file, and remember it for the exit status."""
        self.status = 1
        self._say(str(error))

    def finish(self) -> None:
        """Print what was kept for the end."""
        from text_recognizer.exporting import join_pages

        if self._kept:
            _write(join_pages(self._kept, self._order.kind))

    def _advance(self, outcome: "ReadOutcome") -> None:
        """Count the page. A file counts as one page until its first page is read."""
        if self._bar is not None and self._bar.total is not None:
            self._bar.total += 0 if outcome.name == self._last else outcome.count - 1
            self._bar.update()

    def _say(self, message: str) -> None:
        from tqdm import tqdm

        tqdm.write(f"text-recognizer read: {message}", file=sys.stderr)


def _too_many_pages(kind: str) -> ConfigError:
    return ConfigError(f"the format {kind} has one page in each file", "write several pages with --output FOLDER")


def _write(content: bytes) -> None:
    """Write to standard output, as UTF-8 in any locale, beside a progress bar on the same terminal."""
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stdout):
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
