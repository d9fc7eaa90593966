"""hOCR 1.2: HTML with positions, for the tools around Tesseract and for viewers of scanned books."""

from xml.etree.ElementTree import Element

import numpy as np

from text_recognizer import __version__
from text_recognizer.core import schemas
from text_recognizer.core.geometry import Box
from text_recognizer.exporting.page_outlines import Block, baseline, blocks, outline, words
from text_recognizer.exporting.picture_source import PictureSource
from text_recognizer.exporting.xml_documents import SOFTWARE, child, document

CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_poly ocrp_wconf"


def hocr(page: schemas.Page, source: PictureSource) -> bytes:
    """Return a page as hOCR, in XHTML. The attributes `data-*` are additions to hOCR."""
    root = Element("html", {"xmlns": "http://www.w3.org/1999/xhtml"})
    head = child(root, "head")
    child(head, "title", text=source.name)
    child(head, "meta", {"http-equiv": "Content-Type", "content": "text/html;charset=utf-8"})
    child(head, "meta", {"name": "ocr-system", "content": f"{SOFTWARE} {__version__}"})
    child(head, "meta", {"name": "ocr-capabilities", "content": CAPABILITIES})
    width, height = source.size(page)
    name = source.name.replace("\\", "\\\\").replace('"', '\\"')
    title = f'image "{name}"; {_bbox(Box(0, 0, width, height))}; ppageno {source.number - 1}'
    element = child(child(root, "body"), "div", {"class": "ocr_page", "id": "page_1", "title": title})
    for block in blocks(page):
        _add_block(element, block)
    return document(root)


def _add_block(page: Element, block: Block) -> None:
    title = _bbox(block.box)
    area = child(page, "div", {"class": "ocr_carea", "id": f"block_{block.number}", "title": title})
    paragraph = child(area, "p", {"class": "ocr_par", "id": f"par_{block.number}", "title": title})
    for number, line in block.numbered_lines():
        _add_line(paragraph, line, number)


def _add_line(paragraph: Element, line: schemas.Line, number: int) -> None:
    around = " ".join(f"{x} {y}" for x, y in outline(line))
    attributes: dict[str, object] = {
        "class": "ocr_line",
        "id": f"line_{number}",
        "title": f"{_bbox(line.box)}; {_baseline(line)}; poly {around}; x_wconf {_percent(line.confidence)}",
        "data-kind": line.kind,
        "data-dubious": "true" if line.dubious else None,
    }
    element = child(paragraph, "span", attributes)
    for position, word in enumerate(words(line), start=1):
        title = f"{_bbox(word.box)}; x_wconf {_percent(word.confidence)}"
        named: dict[str, object] = {"class": "ocrx_word", "id": f"word_{number}_{position}", "title": title}
        named["data-crossed-out"] = "true" if word.crossed_out else None
        child(element, "span", named, word.text)


def _bbox(box: Box) -> str:
    return f"bbox {box.x} {box.y} {box.right} {box.bottom}"


def _baseline(line: schemas.Line) -> str:
    """Return the straight line through the baseline: its slope, and its height at the left edge of the line's box.

    The height is relative to the lower edge of the box. A line that runs up or down has no slope, and `textangle` says
    so instead.
    """
    points = np.asarray(baseline(line), dtype=np.float64)
    run, rise = points[-1] - points[0]
    if abs(rise) > abs(run):
        return "textangle 90" if rise < 0 else "textangle 270"
    slope, height = np.polyfit(points[:, 0] - line.box.x, points[:, 1] - line.box.bottom, 1)
    return f"baseline {slope:.4f} {height:.1f}"


def _percent(confidence: float) -> int:
    return round(100 * confidence)
