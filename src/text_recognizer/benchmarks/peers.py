"""Compare this project's reader with RapidOCR and Tesseract on pages whose text is known: `make benchmark-peers`.

The score is defined in `text_error`. Each reader reads each file in the same run on one thread. Ours opens the file
itself. The others get each page as a PNG of the same pixels, upright; the pages of a PDF are drawn at 200 dpi for them.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from text_recognizer.benchmarks.page_pictures import write_pictures
from text_recognizer.benchmarks.page_readers import (
    FileReading,
    OwnReader,
    PageTextReader,
    RapidOcr,
    Readable,
    Tesseract,
    installed,
)
from text_recognizer.benchmarks.page_truth import KnownPage, cut_out_forms, known_pages
from text_recognizer.benchmarks.peer_report import ReaderScores, markdown, to_json
from text_recognizer.core.errors import ConfigError, DataError, TextRecognizerError
from text_recognizer.utils.files import write_json, write_text

REPORT = Path("runs/peers")
PEERS = Path(".venv-peers/bin/python")


def compare(pages: Sequence[KnownPage], readers: Sequence[PageTextReader]) -> list[ReaderScores]:
    """Read all files with all readers, and return the scores of each; none for a reader that is not installed."""
    results = [ReaderScores(reader.name, reader.version) for reader in readers]
    present = installed(readers)
    by_name = {result.name: result for result in results}
    for page, readable, problem in tqdm(_readable(pages), total=len(pages), desc="compare", unit="file"):
        for reader in present:
            reading = FileReading(error=problem) if problem else reader.read(readable)
            by_name[reader.name].add(page, reading, len(readable.pictures))
    return results


def _readable(pages: Sequence[KnownPage]) -> Iterator[tuple[KnownPage, Readable, str]]:
    """Yield each file with its pages as pictures, which exist until the next one, and what is wrong with the file."""
    for page in pages:
        with tempfile.TemporaryDirectory(prefix="pages-") as folder:
            pictures, problem = _pictures(page.path, Path(folder))
            yield page, Readable(page.path, pictures), problem


def _pictures(path: Path, folder: Path) -> tuple[tuple[Path, ...], str]:
    """Return the pages of a file as pictures, or no pages and what is wrong with it."""
    try:
        return write_pictures(path, folder), ""
    except DataError as error:
        return (), error.what


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the readers, print the table, and write it and all figures to files."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="forms-") as scratch:
            pages = _pages(options, Path(scratch))
            results = _compare_installed(pages, options)
        _write(results, options.out)
    except TextRecognizerError as error:
        print(f"benchmark-peers: {error}", file=sys.stderr)
        return error.exit_status
    return 0


def _compare_installed(pages: Sequence[KnownPage], options: argparse.Namespace) -> list[ReaderScores]:
    readers: list[PageTextReader] = [OwnReader.load(options.model), RapidOcr(options.rapidocr), Tesseract()]
    try:
        return compare(pages, readers)
    finally:
        for reader in readers:
            reader.close()


def _write(results: Sequence[ReaderScores], out: Path) -> None:
    table = markdown(results)
    print(table)
    write_text(out.with_suffix(".md"), table + "\n")
    write_json(out.with_suffix(".json"), to_json(results))
    print(f"written: {out.with_suffix('.md')}, {out.with_suffix('.json')}", file=sys.stderr)


def _pages(options: argparse.Namespace, scratch: Path) -> list[KnownPage]:
    if options.pages.suffix.lower() != ".zip":
        if options.split:
            raise ConfigError("only an archive has splits", "leave --split out, or name a zip in the layout of IAM")
        return known_pages(options.pages, options.list, options.no_writing)
    if not options.split:
        raise ConfigError(f"{options.pages} has several splits", "name one, for instance --split aachen/test")
    return cut_out_forms(options.pages, options.split, scratch)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmark-peers", description=__doc__)
    parser.add_argument(
        "pages", type=Path, help="a folder of pictures, each with a .txt or PAGE XML, or an archive in IAM's layout"
    )
    parser.add_argument("--list", type=Path, metavar="FILE", help="names of the files to take, one a line")
    parser.add_argument("--split", metavar="NAME/PART", help="of an archive, for instance aachen/test")
    parser.add_argument("--no-writing", action="store_true", help="files without text have no writing on them")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="default: the pretrained reader")
    parser.add_argument(
        "--rapidocr", type=Path, default=PEERS, metavar="PYTHON", help="an interpreter with rapidocr (%(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=REPORT, metavar="STEM", help="of the .md and .json file (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
