"""Drawing the pages of PDFs."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from tests.pages.page_files import drawn_pdf, joined_pdf, picture

from text_recognizer.core.errors import DataError
from text_recognizer.pages import opening
from text_recognizer.pages.opening import open_pages, open_picture
from text_recognizer.pages.pdf_pages import DRAWN_PIXELS

SCAN = picture("1").resize((600, 800))
INK = np.asarray(SCAN) * np.uint8(255)


def scan_pdf(dpi: float, scan: Image.Image = SCAN) -> bytes:
    stream = io.BytesIO()
    scan.save(stream, "PDF", resolution=dpi)
    return stream.getvalue()


def first(data: bytes) -> np.ndarray:
    return next(open_pages(data)).rgb


def edited(data: bytes, edit) -> bytes:
    """The PDF after its first page is edited."""
    document = pypdfium2.PdfDocument(data)
    page = document[0]
    edit(document, page)
    page.gen_content()
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("dpi", [50, 72, 96, 150, 300, 317.3, 600])
def test_a_scan_keeps_its_own_pixels(dpi):
    np.testing.assert_array_equal(first(scan_pdf(dpi))[..., 0], INK)


def test_a_scan_on_a_rotated_page_is_upright():
    rotated = edited(scan_pdf(150), lambda _, page: page.set_rotation(90))
    np.testing.assert_array_equal(first(rotated)[..., 0], np.rot90(INK, 3))


def test_a_scan_inside_a_form_is_found():
    source, target = pypdfium2.PdfDocument(scan_pdf(150)), pypdfium2.PdfDocument.new()
    item = source.page_as_xobject(0, target).as_pageobject()
    item.set_matrix(pypdfium2.PdfMatrix().scale(0.5, 0.5))
    page = target.new_page(144, 192)
    page.insert_obj(item)
    page.gen_content()
    stream = io.BytesIO()
    target.save(stream)
    assert first(stream.getvalue()).shape == (800, 600, 3)


def test_a_page_that_is_drawn_has_200_dpi():
    page = first(drawn_pdf())
    assert page.shape == (278, 556, 3)
    assert page.min() < 50


def test_a_very_large_page_that_is_drawn_gets_fewer_pixels():
    height, width, _ = first(drawn_pdf(box="0 0 5000 4000")).shape
    assert height * width == pytest.approx(DRAWN_PIXELS, rel=0.01)


def test_drawing_on_a_coarse_scan_is_sharp_all_the_same():
    def add_line(_, page):
        line = pypdfium2.raw.FPDFPageObj_CreateNewPath(10, 10)
        pypdfium2.raw.FPDFPath_LineTo(line, 400, 400)
        pypdfium2.raw.FPDFPath_SetDrawMode(line, 0, 1)
        page.insert_obj(pypdfium2.PdfObject(line))

    assert first(scan_pdf(100)).shape == (800, 600, 3)
    assert first(edited(scan_pdf(100), add_line)).shape == (1600, 1200, 3)


def test_a_small_picture_on_a_page_is_no_scan():
    def shrink(_, page):
        (item,) = page.get_objects()
        item.set_matrix(pypdfium2.PdfMatrix().scale(30, 40))

    assert first(edited(scan_pdf(100), shrink)).shape == (1600, 1200, 3)


def test_a_blank_page_is_white():
    assert (first(drawn_pdf("")) == 255).all()


def test_pages_of_a_file_are_drawn_one_by_one():
    pages = list(open_pages(joined_pdf(scan_pdf(150), drawn_pdf(), scan_pdf(72)), "letters.pdf"))
    assert [(page.number, page.count, page.rgb.shape) for page in pages] == [
        (1, 3, (800, 600, 3)),
        (2, 3, (278, 556, 3)),
        (3, 3, (800, 600, 3)),
    ]


def test_the_first_page_is_read_as_grey(tmp_path):
    (tmp_path / "letter.pdf").write_bytes(scan_pdf(150))
    np.testing.assert_array_equal(open_picture(tmp_path / "letter.pdf"), INK)


def test_a_page_is_drawn_within_the_limit_of_pixels(monkeypatch):
    monkeypatch.setattr(opening, "MAX_PIXELS", 200_000)
    height, width, _ = first(scan_pdf(150)).shape
    assert 190_000 < height * width <= 200_000


def test_a_scan_far_above_the_limit_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(opening, "MAX_PIXELS", 100_000)
    with pytest.raises(DataError) as caught:
        first(scan_pdf(150))
    assert "600 by 800" in caught.value.what


def test_only_as_many_pages_as_can_be_read_may_be_selected(monkeypatch):
    monkeypatch.setattr(opening, "MAX_PAGES", 2)
    data = joined_pdf(*[drawn_pdf()] * 3)
    with pytest.raises(DataError):
        next(open_pages(data))
    assert [page.number for page in open_pages(data, pages=[2, 3])] == [2, 3]


def test_a_pdf_with_a_password_says_so():
    locked = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'ab' * 32}> /U <{'cd' * 32}> >> /ID [<00> <00>]"
    data = drawn_pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R " + locked.encode())
    with pytest.raises(DataError) as caught:
        next(open_pages(data, "letters.pdf"))
    assert "password" in caught.value.what
    assert "password" in caught.value.fix


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"%PDF-1.4\n" + bytes(5000), drawn_pdf()[:200]])
def test_a_broken_pdf_is_refused_by_name(data):
    with pytest.raises(DataError) as caught:
        next(open_pages(data, "letters.pdf"))
    assert "letters.pdf" in caught.value.what
    assert caught.value.fix


def test_threads_may_draw_at_the_same_time():
    data = joined_pdf(scan_pdf(150), drawn_pdf())
    with ThreadPoolExecutor(4) as pool:
        sums = list(pool.map(lambda _: [int(page.rgb.sum()) for page in open_pages(data)], range(16)))
    assert all(found == sums[0] for found in sums)
