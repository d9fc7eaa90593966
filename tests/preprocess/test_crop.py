"""A crop holds the handwritten paragraph and nothing else, and the boxes of its lines lie on the ink."""

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.iam import Form, Line
from text_recognizer.preprocess import crop_form

WIDTH, HEIGHT = 900, 500
BOXES = (Box(100, 100, 620, 80), Box(130, 250, 500, 90))


def form(texts=("to be", "or not"), boxes=BOXES):
    lines = (Line(f"a01-000-0{i}", text, box, "ok") for i, (text, box) in enumerate(zip(texts, boxes, strict=True)))
    return Form("a01-000", "w0", WIDTH, HEIGHT, tuple(lines))


def make_page(dpi, boxes=BOXES):
    """Return the page at a resolution: paper of grey 240, every box filled with grey 30."""
    ratio = dpi / 300
    page = np.full((round(HEIGHT * ratio), round(WIDTH * ratio)), 240, dtype=np.uint8)
    for box in filter(None, boxes):
        rows, columns = slice(box.y, box.bottom), slice(box.x, box.right)
        edges = [round(edge * ratio) for edge in (rows.start, rows.stop, columns.start, columns.stop)]
        page[edges[0] : edges[1], edges[2] : edges[3]] = 30
    return page


@pytest.fixture
def section(params):
    """Return a section whose canvas holds the form at 50 dpi, with the given values changed."""
    base = {"dpi": 50, "canvas_height": 64, "canvas_width": 128, "padding": 4}
    return lambda **changes: params.preprocess.model_copy(update=base | changes)


@pytest.mark.parametrize("dpi", [75, 150, 300])
def test_boxes_lie_on_the_ink_at_any_resolution_of_the_picture(section, dpi):
    canvas, page = crop_form(form(), make_page(dpi), section())
    dark = canvas < 128

    for x, y, width, height in page.boxes:
        assert dark[y + 2 : y + height - 2, x + 2 : x + width - 2].all()
        dark[max(0, y - 1) : y + height + 1, max(0, x - 1) : x + width + 1] = False
    assert not dark.any()


@pytest.mark.parametrize("picture_dpi", [75, 150, 300])
@pytest.mark.parametrize("dpi", [25, 50])
def test_the_scale_follows_from_the_resolution_of_the_crop(section, dpi, picture_dpi):
    _, page = crop_form(form(), make_page(picture_dpi), section(dpi=dpi))

    for (_, _, width, height), box in zip(page.boxes, BOXES, strict=True):
        assert width == pytest.approx(box.width * dpi / 300, abs=1)
        assert height == pytest.approx(box.height * dpi / 300, abs=1)


@pytest.mark.parametrize("padding", [0, 4, 8])
def test_padding_is_the_width_of_the_paper_around_the_text(section, padding):
    _, page = crop_form(form(), make_page(150), section(padding=padding))

    assert page.boxes[0][:2] == pytest.approx((padding, padding), abs=1)


def test_a_form_too_large_for_the_canvas_is_shrunk_with_its_boxes(section):
    canvas, page = crop_form(form(), make_page(300), section(canvas_height=32, canvas_width=64))
    right = max(x + width for x, _, width, _ in page.boxes)
    bottom = max(y + height for _, y, _, height in page.boxes)

    assert canvas.shape == (32, 64)
    assert right <= 64
    assert bottom <= 32
    dark = np.argwhere(canvas < 128)
    assert dark.max(axis=0) + 1 == pytest.approx((bottom, right), abs=1)


def test_ink_outside_the_lines_is_left_out(section):
    picture = make_page(150)
    picture[:30], picture[200:] = 30, 30
    canvas, _ = crop_form(form(), picture, section())

    np.testing.assert_array_equal(canvas, crop_form(form(), make_page(150), section())[0])


def test_the_canvas_has_ink_of_0_on_paper_of_255(section):
    canvas, _ = crop_form(form(), make_page(150), section())

    assert (canvas.dtype, canvas.min(), canvas.max()) == (np.uint8, 0, 255)
    assert (canvas[-1] == 255).all()


def test_lines_at_the_edge_of_the_page_are_clipped_there(section):
    boxes = (Box(0, 0, 900, 80), Box(0, 420, 900, 80))
    canvas, page = crop_form(form(boxes=boxes), make_page(150, boxes), section(canvas_height=128, canvas_width=192))

    assert [box[:2] for box in page.boxes] == [(0, 0), (0, 70)]
    assert (canvas[:12, :148] < 128).all()


def test_the_labels_name_the_form_the_writer_and_the_text(section):
    _, page = crop_form(form(), make_page(150), section())

    assert (page.id, page.writer, page.text) == ("a01-000", "w0", "to be\nor not")


def test_the_labels_hold_the_size_and_the_resolution_of_the_paragraph(section):
    _, page = crop_form(form(), make_page(150), section())
    _, shrunk = crop_form(form(), make_page(150), section(canvas_height=32, canvas_width=64))

    assert page.dpi == 50
    assert page.size == pytest.approx((620 / 6 + 8, 240 / 6 + 8), abs=2)
    assert shrunk.dpi < 50
    assert max(shrunk.size[0] / 64, shrunk.size[1] / 32) == 1


def test_a_binarised_page_has_two_grey_levels_before_it_is_scaled(section):
    _, plain = crop_form(form(), make_page(50), section())
    canvas, page = crop_form(form(), make_page(50), section(binarise=True))

    assert set(np.unique(canvas)) == {0, 255}
    assert page == plain


AWAY = (Box(2000, 2000, 50, 50), Box(2000, 2100, 50, 50))
FAULTY = {
    "a character outside the charset": form(texts=("to be €", "or not")),
    "a line without a box": form(boxes=(BOXES[0], None)),
    "a line without text": form(texts=("to be", "")),
    "no lines": form((), ()),
    "lines off the page": form(boxes=AWAY),
}


@pytest.mark.parametrize("faulty", FAULTY.values(), ids=FAULTY.keys())
def test_a_form_that_cannot_be_cropped_is_named(section, faulty):
    with pytest.raises(DataError, match="a01-000") as caught:
        crop_form(faulty, make_page(150), section())
    assert "data.exclude" in caught.value.fix


def test_the_characters_outside_the_charset_are_named(section):
    with pytest.raises(DataError, match="€"):
        crop_form(FAULTY["a character outside the charset"], make_page(150), section())
