"""The commands for transcribed pages in the formats that people have: look at them, and export them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from text_recognizer.cli.command_options import Commands, add
from text_recognizer.core.data_params import IamSplit

if TYPE_CHECKING:
    from text_recognizer.corpora.corpus_base import Corpus

ADDRESS = (
    "a folder or a zip of pictures with PAGE XML, ALTO or a text file each; a table with file_name and text; a Parquet "
    "file; an archive in IAM's layout; a folder of packed splits or corrections"
)


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `import` and `export`."""
    look = add(commands, "import", _import, "look at transcribed pages, and print or add their entry of data.sources")
    _add_source(look)
    look.add_argument("--quick", action="store_true", help="do not open the pictures")
    look.add_argument("--add", action="store_true", help="add the entry to data.sources in params.yaml")
    export = add(commands, "export", _export, "write transcribed pages as PAGE XML with their pictures")
    _add_source(export)
    export.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="a new folder")


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", type=Path, metavar="ADDRESS", help=ADDRESS)
    parser.add_argument("--format", metavar="NAME", help="page, alto, text, lines, parquet, iam; default: is detected")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="where the pictures of PAGE XML or ALTO are, if not with them"
    )
    parser.add_argument(
        "--split",
        choices=get_args(IamSplit),
        default="aachen",
        help="of an archive in IAM's layout; default: %(default)s",
    )


def _open(options: argparse.Namespace) -> "Corpus":
    from text_recognizer.corpora.opening_corpora import open_corpus

    return open_corpus(options.address, options.format, options.pictures, options.split)


def _import(options: argparse.Namespace) -> int:
    from text_recognizer.corpora.corpus_survey import survey
    from text_recognizer.corpora.source_entries import add_source, entry_yaml

    with _open(options) as corpus:
        found = survey(corpus, check_pictures=not options.quick)
    print(found.summary())
    entry = found.entry(options.pictures)
    if entry is None:
        print(f"\nthe pipeline takes no {found.format} pages from data.sources")
    elif options.add:
        from text_recognizer.core.config import PARAMS_FILE

        add_source(PARAMS_FILE, entry)
        print(f"\nadded to data.sources in {PARAMS_FILE}:\n{entry_yaml(entry)}", end="")
    else:
        print(f"\nan entry for data.sources in params.yaml (--add writes it):\n{entry_yaml(entry)}", end="")
    return 0


def _export(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from text_recognizer.exporting.corpus_export import export_corpus

    with _open(options) as corpus:
        print(export_corpus(corpus, options.output, datetime.now(UTC).replace(microsecond=0)).summary())
    return 0
