"""Parse XML from untrusted sources: no entities of its own, no files from elsewhere, bounded depth."""

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from text_recognizer.core.errors import DataError

MAX_DEPTH = 200
MAX_BYTES = 200 << 20
REPAIR = "export it again, or remove it"


def parse_xml(data: bytes, label: str) -> Element:
    """Return the root element; names have the form `{namespace}name`, as in ElementTree. `label` is for messages.

    Raises:
        DataError: the document is not well-formed, declares entities, is too deep or too large, or has an encoding that
            is not known.
    """
    if len(data) > MAX_BYTES:
        raise DataError(f"{label} has more than {MAX_BYTES:,} bytes", REPAIR)
    if not data.strip():
        raise DataError(f"{label} is empty", REPAIR)
    target = _Target(label)
    try:
        target.parser.Parse(data, True)
        return target.builder.close()
    except expat.ExpatError as error:
        raise DataError(f"{label} is not well-formed XML: {error}", REPAIR) from None
    except (LookupError, ValueError) as error:
        raise DataError(f"{label} has an encoding that cannot be read: {error}", REPAIR) from None


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """Return the namespace of an element; nothing if it has none."""
    return element.tag[1:].rpartition("}")[0] if element.tag.startswith("{") else ""


class _Target:
    """Build a tree from the events of a parser, and refuse what is unsafe."""

    def __init__(self, label: str) -> None:
        self.label, self.depth, self.builder = label, 0, TreeBuilder()
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.builder.data
        self.parser.EntityDeclHandler = self._refuse_entity

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise DataError(f"{self.label} has elements in more than {MAX_DEPTH} levels", REPAIR)
        self.builder.start(_tag(name), {_tag(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.builder.end(_tag(name))

    def _refuse_entity(self, *_: object) -> None:
        raise DataError(f"{self.label} declares entities of its own", "remove its DOCTYPE")


def _tag(name: str) -> str:
    return "{" + name if "}" in name else name
