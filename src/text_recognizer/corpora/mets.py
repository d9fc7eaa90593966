"""Find the files of a document in METS: which label file belongs to which picture."""

from pathlib import PurePosixPath
from posixpath import normpath
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from text_recognizer.corpora.file_trees import FileTree
from text_recognizer.corpora.page_lists import PICTURE_SUFFIXES
from text_recognizer.corpora.safe_xml import local_name

HREF = "{http://www.w3.org/1999/xlink}href"


def is_mets(root: Element) -> bool:
    """Return whether the root element is one of METS."""
    return local_name(root) == "mets"


def mets_pictures(root: Element, name: str, files: FileTree) -> dict[str, str]:
    """Return the picture of each label file that a METS file `name` puts on one page with it.

    Files that are not in the archive are left out, such as pictures on a server.
    """
    places = _places(root, name, files)
    pictures: dict[str, str] = {}
    for page in root.iterfind(".//{*}structMap//{*}div"):
        ids = [one.get("FILEID", "") for pointer in page.findall("{*}fptr") for one in pointer.iter()]
        found = [places[one] for one in ids if one in places]
        images = [one for one in found if one.lower().endswith(PICTURE_SUFFIXES)]
        for labels in found:
            if labels.lower().endswith(".xml") and images:
                pictures.setdefault(labels, images[0])
    return pictures


def _places(root: Element, name: str, files: FileTree) -> dict[str, str]:
    """Return the name in the archive of each file, by its id."""
    folder, places = PurePosixPath(name).parent.as_posix(), {}
    for file in root.iterfind(".//{*}file"):
        location = file.find("{*}FLocat")
        if location is None:
            continue
        target = unquote(location.get(HREF, "").removeprefix("file:").replace("\\", "/"))
        path = normpath(f"{folder}/{target}").removeprefix("./")
        if path in files:
            places[file.get("ID", "")] = path
    return places
