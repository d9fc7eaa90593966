"""Pages with PAGE XML or ALTO, in a folder or a zip, as Transkribus, eScriptorium and kraken export them."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar
from xml.etree.ElementTree import Element

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.alto_reader import alto_labels, is_alto
from text_recognizer.corpora.corpus_base import FilesCorpus, Format, require_known
from text_recognizer.corpora.file_trees import FileTree, FolderTree
from text_recognizer.corpora.mets import is_mets, mets_pictures
from text_recognizer.corpora.page_labels import PageLabels
from text_recognizer.corpora.page_xml_reader import document_of, is_page_xml, page_labels
from text_recognizer.corpora.picture_search import PictureSearch, tree_picture
from text_recognizer.corpora.safe_xml import parse_xml
from text_recognizer.corpora.transcribed_pages import PagePicture, TranscribedPage

LABEL_FOLDERS = ("page", "alto", "xml")  # in which exporters put the label files of a document


class XmlCorpus(FilesCorpus):
    """The pages of an archive whose labels have one format. A page without labels is not part of it.

    The group of a page is its folder if the archive has several folders of pages, else its document in Transkribus if
    there are several, else the page itself.
    """

    is_root: Callable[[Element], bool]
    read_labels: Callable[[Element, str], PageLabels]

    def __init__(self, files: FileTree, names: Sequence[str], pictures: Path | None = None) -> None:
        """Take the label files `names` of an archive, and its pictures, or those in the folder `pictures`."""
        super().__init__(files)
        self._names = _page_ids(names)
        self._search = PictureSearch([files, *([FolderTree(pictures)] if pictures else [])])
        self._mets = _mets(files)
        self._folders = {_document_folder(name) for name in names}
        self._documents: dict[str, str] | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all pages: the name of the label file, with its folder if another page has the same name."""
        return tuple(self._names)

    def page(self, page_id: str) -> TranscribedPage:
        """Return a page. Raises DataError if its labels are damaged or its picture is missing."""
        require_known(page_id, self._names, self.address)
        name = self._names[page_id]
        labels = self.labels(name)
        return TranscribedPage(
            page_id,
            self._group(page_id, name),
            self._picture(name, labels),
            labels.lines,
            labels.size,
            faults=labels.faults,
        )

    def labels(self, name: str) -> PageLabels:
        """Return the labels in a label file. Raises DataError if they are damaged."""
        label = self._files.label(name)
        return type(self).read_labels(parse_xml(self._files.read(name), label), label)

    def _picture(self, name: str, labels: PageLabels) -> PagePicture:
        if name in self._mets:
            return tree_picture(self._files, self._mets[name])
        return self._search.find(name, labels.picture, self._files.label(name))

    def _group(self, page_id: str, name: str) -> str:
        if len(self._folders) > 1:
            return _document_folder(name)
        if self._documents is None:
            self._documents = self._find_documents()
        return self._documents.get(page_id, page_id)

    def _find_documents(self) -> dict[str, str]:
        """Return the document of each page, if the archive has several."""
        documents = {page_id: document_of(self._files.read(name)) or page_id for page_id, name in self._names.items()}
        return documents if len(set(documents.values())) > 1 else {}


class PageXmlCorpus(XmlCorpus):
    """Pages with PAGE XML."""

    format: ClassVar[Format] = "page"
    is_root = staticmethod(is_page_xml)
    read_labels = staticmethod(page_labels)


class AltoCorpus(XmlCorpus):
    """Pages with ALTO."""

    format: ClassVar[Format] = "alto"
    is_root = staticmethod(is_alto)
    read_labels = staticmethod(alto_labels)


def read_labels(data: bytes, label: str) -> PageLabels:
    """Return the labels in a file of PAGE XML or ALTO. Raises DataError if it is damaged, or neither of them."""
    root = parse_xml(data, label)
    for corpus in (PageXmlCorpus, AltoCorpus):
        if corpus.is_root(root):
            return corpus.read_labels(root, label)
    raise DataError(f"{label} is neither PAGE XML nor ALTO", "export it in one of these formats")


def _mets(files: FileTree) -> dict[str, str]:
    """Return the picture of each label file, as the METS files of an archive say. Damaged ones are left out."""
    pictures: dict[str, str] = {}
    for name in files.with_suffix("mets.xml"):
        try:
            root = parse_xml(files.read(name), files.label(name))
        except DataError:
            continue
        if is_mets(root):
            pictures |= mets_pictures(root, name, files)
    return pictures


def _page_ids(names: Sequence[str]) -> dict[str, str]:
    """Return the label file of each page by the page's id."""
    counts = Counter(PurePosixPath(name).stem for name in names)
    return {
        stem if counts[stem := PurePosixPath(name).stem] == 1 else name.removesuffix(PurePosixPath(name).suffix): name
        for name in names
    }


def _document_folder(name: str) -> str:
    """Return the folder of the document that a label file belongs to."""
    folder = PurePosixPath(name).parent
    return str(folder.parent if folder.name.lower() in LABEL_FOLDERS else folder)
