"""The labels of a form as IAM writes them: its XML and its rows of the tables. Boxes are in pixels at 300 dpi."""

from xml.etree import ElementTree
from xml.sax.saxutils import escape

from text_recognizer.core.geometry import Box, bounding_box
from text_recognizer.synthetic.form import SyntheticForm, WrittenLine
from text_recognizer.synthetic.sheet import Sheet

# IAM's grey threshold between ink and paper, and one part-of-speech tag for every word: nothing reads it.
THRESHOLD, TAG = "150", "NN"


def to_xml(form: SyntheticForm, sheet: Sheet) -> bytes:
    """Return the form's XML document in UTF-8."""
    size = {"width": str(sheet.width), "height": str(sheet.height)}
    root = ElementTree.Element("form", {"id": form.id, "created": "synthetic", "writer-id": form.writer, **size})
    printed = ElementTree.SubElement(root, "machine-printed-part")
    for text in form.prompt:
        ElementTree.SubElement(printed, "machine-print-line", {"text": _escaped(text)})
    part = ElementTree.SubElement(root, "handwritten-part")
    for index, line in enumerate(form.lines):
        _add_line(part, line, line_id(form, index))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document + b"\n"


def _add_line(part: ElementTree.Element, line: WrittenLine, identity: str) -> None:
    marks = {"id": identity, "segmentation": "ok", "threshold": THRESHOLD, "text": _escaped(line.text)}
    element = ElementTree.SubElement(part, "line", marks)
    for index, token in enumerate(line.tokens):
        labels = {"id": f"{identity}-{index:02d}", "tag": TAG, "text": _escaped(token.text)}
        word = ElementTree.SubElement(element, "word", labels)
        for box in token.boxes:
            ElementTree.SubElement(word, "cmp", {key: str(getattr(box, key)) for key in ("x", "y", "width", "height")})


def _escaped(text: str) -> str:
    """Escape a text once. IAM escapes texts twice; the XML writer does it the second time."""
    return escape(text, {'"': "&quot;"})


def line_id(form: SyntheticForm, index: int) -> str:
    """Return the id of line `index`, counted from 0."""
    return f"{form.id}-{index:02d}"


def line_ids(form: SyntheticForm) -> tuple[str, ...]:
    """Return the ids of all lines."""
    return tuple(line_id(form, index) for index in range(len(form.lines)))


def form_row(form: SyntheticForm) -> str:
    """Return the form's row of `ascii/forms.txt`."""
    words = sum(len(line.tokens) for line in form.lines)
    sentences = max(1, sum(line.text.count(mark) for line in form.lines for mark in ".!?"))
    return f"{form.id} {form.writer} {sentences} all {len(form.lines)} {len(form.lines)} {words} {words}"


def line_rows(form: SyntheticForm) -> list[str]:
    """Return the form's rows of `ascii/lines.txt`."""
    rows = []
    for index, line in enumerate(form.lines):
        pieces = [box for token in line.tokens for box in token.boxes]
        text = "|".join(token.text for token in line.tokens)
        rows.append(f"{line_id(form, index)} ok {THRESHOLD} {len(pieces)} {_numbers(bounding_box(pieces))} {text}")
    return rows


def word_rows(form: SyntheticForm) -> list[str]:
    """Return the form's rows of `ascii/words.txt`."""
    return [
        f"{line_id(form, index)}-{place:02d} ok {THRESHOLD} {_numbers(bounding_box(token.boxes))} {TAG} {token.text}"
        for index, line in enumerate(form.lines)
        for place, token in enumerate(line.tokens)
    ]


def _numbers(box: Box | None) -> str:
    return f"{box.x} {box.y} {box.width} {box.height}" if box else "-1 -1 -1 -1"
