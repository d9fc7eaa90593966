"""What the XML formats share: characters that XML allows, coordinates, and the bytes of a document."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from text_recognizer.core.geometry import Point

# All characters that XML 1.0 does not allow, not even as references.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT = "\ufffd"
SOFTWARE = "text-recognizer"


def allowed(text: str) -> str:
    """Replace each character that XML does not allow with U+FFFD."""
    return FORBIDDEN.sub(REPLACEMENT, text)


def child(parent: Element, tag: str, attributes: dict[str, object] | None = None, text: str | None = None) -> Element:
    """Append an element and return it. Attributes become text; those that are None are left out."""
    values = {name: allowed(str(value)) for name, value in (attributes or {}).items() if value is not None}
    element = ElementTree.SubElement(parent, tag, values)
    if text is not None:
        element.text = allowed(text)
    return element


def points_text(points: Iterable[Point]) -> str:
    """Return points as `x,y x,y`. A coordinate left of or above the picture becomes 0, as the schemas want."""
    return " ".join(f"{max(x, 0)},{max(y, 0)}" for x, y in points)


def document(root: Element) -> bytes:
    """Return a document as UTF-8, indented, with an XML declaration."""
    ElementTree.indent(root)
    encoded: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return encoded + b"\n"
