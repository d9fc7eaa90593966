"""Opening all pages of a file as RGB pixels."""

import gc
import io
import weakref

import numpy as np
import pytest
from PIL import Image
from tests.pages.page_files import deep_tiff, encode, page_files, picture

from text_recognizer.core.errors import DataError
from text_recognizer.pages import opening, pixel_modes
from text_recognizer.pages.opening import open_pages, open_picture
from text_recognizer.pages.page_selection import PageSelection

PAGES = [picture(shift=n) for n in range(3)]
RGB = np.asarray(PAGES[0])


def only_page(data: bytes) -> np.ndarray:
    (page,) = open_pages(data)
    return page.rgb


@pytest.mark.parametrize("name", sorted(page_files()))
def test_every_page_is_uint8_rgb(name):
    pages = list(open_pages(page_files()[name], name))
    assert [page.number for page in pages] == list(range(1, pages[0].count + 1))
    for page in pages:
        assert page.rgb.dtype == np.uint8
        assert page.rgb.shape[2] == 3
        assert page.rgb.flags["C_CONTIGUOUS"]
        assert page.name == name


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 40),
        ("AVIF", {"quality": 95}, 40),
    ],
)
def test_pages_come_one_by_one_in_the_order_of_the_file(kind, options, tolerance, tmp_path):
    path = tmp_path / "letter"
    path.write_bytes(encode(PAGES, kind, **options))
    pages = list(open_pages(path))
    assert [(page.number, page.count, page.name) for page in pages] == [(n, 3, str(path)) for n in (1, 2, 3)]
    for page, original in zip(pages, PAGES, strict=True):
        assert np.abs(page.rgb.astype(int) - np.asarray(original)).mean() <= tolerance / 10


@pytest.mark.parametrize("pages", [PageSelection.parse("3,1"), [3, 1]])
def test_only_the_selected_pages_are_read(pages):
    opened = list(open_pages(encode(PAGES, "TIFF"), pages=pages))
    assert [(page.number, page.count) for page in opened] == [(1, 3), (3, 3)]
    np.testing.assert_array_equal(opened[1].rgb, np.asarray(PAGES[2]))


@pytest.mark.slow
def test_a_page_is_not_kept_when_the_next_one_is_asked_for():
    pages = open_pages(encode(PAGES, "TIFF"))
    first = next(pages)
    pixels = weakref.ref(first.rgb)
    del first
    next(pages)
    gc.collect()
    assert pixels() is None


def test_the_first_page_as_grey_is_the_first_page():
    np.testing.assert_array_equal(open_picture(encode(PAGES, "TIFF")), np.asarray(PAGES[0].convert("L")))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_page_is_upright_whatever_its_exif_orientation(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # members of Image.Transpose
    expected = PAGES[0] if orientation == 1 else PAGES[0].transpose(Image.Transpose(turns[orientation]))
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(only_page(encode([PAGES[0]], kind, exif=exif, **options)), np.asarray(expected))


def test_every_page_is_turned_by_its_own_orientation():
    pages = [picture(), picture()]
    pages[1].encoderinfo = {"tiffinfo": {0x0112: 6}}
    opened = [page.rgb.shape for page in open_pages(encode(pages, "TIFF"))]
    assert opened == [(80, 60, 3), (60, 80, 3)]


def test_a_large_page_is_converted_in_strips(monkeypatch):
    monkeypatch.setattr(pixel_modes, "STRIP_PIXELS", 7 * 60)
    np.testing.assert_array_equal(only_page(encode([PAGES[0]], "PNG")), RGB)
    grey = np.asarray(picture("L"))
    deep = only_page(deep_tiff(np.float32))
    np.testing.assert_allclose(deep[..., 0], grey * (255 / grey.max()), atol=1)
    assert (deep == deep[..., :1]).all()


def test_ink_that_is_printed_in_four_colours_keeps_its_colour():
    page = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert np.abs(only_page(encode([page], "TIFF")) - np.array([255, 0, 0])).max() <= 2


def test_transparent_pixels_become_white():
    page = picture()
    page.putalpha(0)
    assert (only_page(encode([page], "PNG")) == 255).all()


def test_smaller_copies_of_a_page_are_no_pages():
    pages = [picture() for _ in range(4)]
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    pages[2].encoderinfo = {"tiffinfo": {254: 4}}
    assert [page.count for page in open_pages(encode(pages, "TIFF"))] == [2, 2]
    pages[0].encoderinfo = {"tiffinfo": {254: 1}}
    pages[3].encoderinfo = {"tiffinfo": {254: 0}}
    pages[3].paste("black", (0, 0, *pages[3].size))
    assert (open_picture(encode(pages, "TIFF")) == 0).all()


def test_previews_in_a_photograph_are_no_pages():
    assert len(list(open_pages(encode(PAGES, "MPO")))) == 1


def test_too_many_pages_are_refused(monkeypatch):
    monkeypatch.setattr(opening, "MAX_PAGES", 2)
    for kind in ("TIFF", "GIF", "WEBP"):
        with pytest.raises(DataError) as caught:
            next(open_pages(encode(PAGES, kind), "upload"))
        assert "2 pages" in caught.value.what


def test_each_page_is_checked_before_it_is_decoded(monkeypatch):
    pages = [picture(), picture().resize((200, 100)), picture()]
    monkeypatch.setattr(opening, "MAX_PIXELS", 10_000)
    opened = open_pages(encode(pages, "TIFF"), "upload")
    assert next(opened).number == 1
    with pytest.raises(DataError) as caught:
        next(opened)
    assert "upload, page 2" in caught.value.what


def test_pages_before_a_damaged_one_are_read():
    data = bytearray(encode(PAGES, "TIFF", compression="tiff_adobe_deflate"))
    with Image.open(io.BytesIO(data)) as tiff:
        tiff.seek(1)
        (start,) = tiff.tag_v2[273]
    data[start : start + 100] = bytes(100)
    opened = open_pages(bytes(data), "upload")
    assert next(opened).number == 1
    with pytest.raises(DataError) as caught:
        list(opened)
    assert "upload, page 2" in caught.value.what


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        next(open_pages(tmp_path / "page.pdf"))
    assert str(tmp_path / "page.pdf") in caught.value.what


def test_a_failure_of_the_reader_of_pages_is_not_blamed_on_the_file():
    def fail() -> None:
        for page in open_pages(encode(PAGES, "TIFF")):
            raise ZeroDivisionError(page.number)

    with pytest.raises(ZeroDivisionError):
        fail()
