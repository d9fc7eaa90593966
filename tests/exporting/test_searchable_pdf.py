"""The searchable PDF: its picture is seen, its text is found where the words are, and nothing of it is drawn."""

import numpy as np
import pypdfium2 as pdfium
import pytest

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.exporting import PictureSource, join_pages, write_page


def opened(page, source):
    return pdfium.PdfDocument(write_page(page, source, "pdf"))


def text_of(document, number=0):
    return document[number].get_textpage().get_text_range()


def test_the_text_can_be_copied(two_columns, source):
    assert text_of(opened(two_columns, source)).split() == two_columns.text.split()


def test_all_of_unicode_can_be_copied(awkward, source):
    copied = text_of(opened(awkward, source)).split()
    assert [word for word in copied if "\ufffd" not in word] == ["<b>&amp;", '"q"', "]]>", "😀", "naïve", "中文"]


@pytest.mark.parametrize("dpi", [None, 100.0])
def test_a_word_is_found_where_it_stands_on_the_picture(two_columns, source, dpi):
    source = PictureSource("scan.png", source.pixels, dpi=dpi)
    page = opened(two_columns, source)[0]
    scale = page.get_width() / 800
    assert page.get_size() == pytest.approx((800 * 0.72, 600 * 0.72) if dpi else (842, 631.5))
    text = page.get_textpage()
    index, count = text.search("not").get_next()
    left, _, right, _ = (np.asarray(text.get_charbox(index, loose=True)) / scale).tolist()
    end = np.asarray(text.get_charbox(index + count - 1, loose=True)) / scale
    box = two_columns.lines[0].words[3].box
    assert left == pytest.approx(box.x, abs=1)
    assert end[2] == pytest.approx(box.right, abs=1)
    assert 600 - box.bottom <= end[1] < end[3] <= 600 - box.y + 10
    assert right < end[2]


def test_the_text_changes_no_pixel_of_the_picture(two_columns, empty, source):
    with_text, without = (opened(page, source)[0].render().to_numpy() for page in (two_columns, empty))
    assert np.array_equal(with_text, without)
    assert without[120 * 842 // 800, 200].mean() < 60  # the dark bar of the picture
    assert without[300, 600].mean() > 240


def test_a_page_on_its_side_is_shown_upright_with_its_text(sideways, source):
    page = opened(sideways, source)[0]
    assert page.get_width() < page.get_height()
    assert page.get_textpage().get_text_range().split() == ["up", "wards"]


def test_pages_are_joined_in_order(two_columns, bare, source):
    parts = [write_page(page, source, "pdf") for page in (two_columns, bare, two_columns)]
    joined = pdfium.PdfDocument(join_pages(parts, "pdf"))
    assert len(joined) == 3
    assert text_of(joined, 1).split() == ["alone"]


def test_a_grey_picture_will_do(bare):
    source = PictureSource("scan.png", np.full((100, 200), 200, dtype=np.uint8))
    assert text_of(opened(bare, source)).split() == ["alone"]


def test_without_pixels_there_is_no_pdf(bare):
    with pytest.raises(TextRecognizerError):
        write_page(bare, PictureSource("scan.png"), "pdf")
