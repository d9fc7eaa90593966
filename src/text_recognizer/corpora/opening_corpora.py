"""Open transcribed pages in any format: find out which format it is, and list the pages."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from text_recognizer.core.data_params import IamSplit
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.corpora.corpus_base import Corpus, Format
from text_recognizer.corpora.file_trees import FileTree, open_tree
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.corpora.iam_corpus import IamCorpus
from text_recognizer.corpora.line_tables import TABLE_SUFFIXES, LineTableCorpus, find_tables
from text_recognizer.corpora.page_lists import PICTURE_SUFFIXES
from text_recognizer.corpora.parquet_corpus import ParquetCorpus
from text_recognizer.corpora.pipeline_corpora import CorrectionCorpus, PackedCorpus, has_corrections, is_packed
from text_recognizer.corpora.text_corpus import TextCorpus, has_texts
from text_recognizer.corpora.xml_corpus import AltoCorpus, PageXmlCorpus

# The start tag of the root element, after a declaration, comments and a DOCTYPE; in UTF-8 or any 8-bit encoding.
ROOT_TAG = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
HEAD_BYTES = 64 << 10
KNOWN = (
    "give pictures with PAGE XML, ALTO or a text file each, a table with file_name and text, a Parquet file, or a zip "
    "in IAM's layout"
)


def open_corpus(
    address: Path, form: Format | None = None, pictures: Path | None = None, split: IamSplit = "aachen"
) -> Corpus:
    """Open the transcribed pages of a folder, a zip, a table or a Parquet file.

    `form` is the format, which is detected else. `pictures` is another folder where pictures of PAGE XML and ALTO are.
    `split` is the split of an archive in IAM's layout.

    Raises:
        ConfigError: there is no such format.
        DataError: the address does not exist, is damaged, or has no pages of the format.
    """
    if form is not None and form not in get_args(Format):
        raise ConfigError(f"there is no format {form!r}", f"name one of {', '.join(get_args(Format))}")
    if not address.exists():
        raise DataError(f"{address} does not exist", "name an archive in IAM's layout or a folder of pages")
    if form == "iam" or (form is None and _has_iam_layout(address)):
        return IamCorpus(address, split)
    if form == "packed" or (form is None and is_packed(address)):
        return PackedCorpus(address)
    if address.suffix == ".parquet":
        return ParquetCorpus.of_file(address)
    if address.is_file() and address.suffix.lower() in TABLE_SUFFIXES:
        return LineTableCorpus.of_file(address)
    files = open_tree(address)
    try:
        return _open_tree(files, form, pictures)
    except BaseException:
        files.close()
        raise


def _open_tree(files: FileTree, form: Format | None, pictures: Path | None) -> Corpus:
    """Return the corpus in a folder or a zip."""
    roots = _roots(files) if form in (None, "page", "alto") else {}
    page, alto = (_labels(roots, kind) for kind in ("PcGts", "alto"))
    if form == "page" or (form is None and page):
        return PageXmlCorpus(files, _some(page, files, "PAGE XML"), pictures)
    if form == "alto" or (form is None and alto):
        return AltoCorpus(files, _some(alto, files, "ALTO"), pictures)
    tables = find_tables(files) if form in (None, "lines") else []
    if form == "lines" or tables:
        return LineTableCorpus(files, _some(tables, files, "a table with file_name and text"))
    parquet = files.with_suffix(".parquet")
    if form == "parquet" or (form is None and parquet):
        return ParquetCorpus(files, _some(parquet, files, "Parquet"))
    if form == "corrections" or (form is None and has_corrections(files)):
        return CorrectionCorpus(files.address)
    if form == "text" or has_texts(files):
        return TextCorpus(files)
    if others := files.with_suffix(".xml", *TABLE_SUFFIXES):
        raise DataError(f"{files.label(others[0])} is no PAGE XML, ALTO or table with file_name and text", KNOWN)
    if files.with_suffix(*PICTURE_SUFFIXES):
        return TextCorpus(files)
    raise DataError(f"{files.address} holds no pictures with labels of a known format", KNOWN)


def _labels(roots: Mapping[str, str], kind: str) -> list[str]:
    """Return the label files of a format. If there are any, XML without a root element is a damaged one of them."""
    found = [name for name, root in roots.items() if root in (kind, "")]
    return found if kind in roots.values() else []


def _some(names: list[str], files: FileTree, what: str) -> list[str]:
    if not names:
        raise DataError(f"{files.address} holds no {what}", KNOWN)
    return names


def _roots(files: FileTree) -> dict[str, str]:
    """Return the name of the root element of each XML file, without its prefix; nothing for one that has none.

    Only the beginning of a file is looked at: one that is damaged further on must be named as a fault of its page.
    """
    return {name: _root(files.read(name)[:HEAD_BYTES]) for name in files.with_suffix(".xml")}


def _root(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    text = re.sub(rb"<!--.*?-->", b"", head, flags=re.DOTALL)
    found = ROOT_TAG.search(re.sub(rb"<!DOCTYPE.*?(\[.*?\]\s*)?>", b"", text, flags=re.DOTALL))
    return found[1].decode("ascii", "replace") if found else ""


def _has_iam_layout(address: Path) -> bool:
    """Return whether an address is a zip with IAM's folders of pictures and labels."""
    if not zipfile.is_zipfile(address):
        return False
    try:
        with IamArchive(address):
            return True
    except DataError:
        return False
