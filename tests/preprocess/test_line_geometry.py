"""Lines of an archive are matched with the text that was found where they lie; what does not fit is left out."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.corpora.archives import page_line, page_xml, region, write_files

from text_recognizer.core.geometry import Point
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.corpora.transcribed_pages import LabelledLine
from text_recognizer.pages.line_building import TextLine
from text_recognizer.pages.line_finding import FoundLines, Upright
from text_recognizer.pages.reading_order import OrderedLines
from text_recognizer.pages.strips import MARGIN, STRIP_HEIGHT
from text_recognizer.pages.text_detection import TextBox
from text_recognizer.preprocess.line_alignment import Reason
from text_recognizer.preprocess.line_geometry import match_places
from text_recognizer.preprocess.line_packing import LineSources, pack_lines

HEIGHT, WIDTH = 400, 600


def piece(left, middle, right, height=40):
    return TextBox((left + right) / 2, middle, right - left, height, 0, 0.9)


def found(*lines, quarters=0):
    """Return a page whose lines are tuples of pieces; row y of the picture, as it is upright, has the grey y // 2."""
    grey = np.repeat(np.arange(HEIGHT, dtype=np.uint8)[:, None] // 2, WIDTH, axis=1)
    size = (HEIGHT, WIDTH) if quarters % 2 == 0 else (WIDTH, HEIGHT)
    ordered = OrderedLines(tuple(map(TextLine, lines)), tuple(range(len(lines))))
    return FoundLines(np.stack([grey] * 3, axis=2), Upright(quarters, size), ordered)


def baseline(text, left, y, right):
    return LabelledLine(text, baseline=(Point(left, y), Point((left + right) // 2, y + 1), Point(right, y)))


def polygon(text, left, top, right, bottom):
    return LabelledLine(text, polygon=(Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom)))


def texts(placed):
    return [strip.line.text for strip in placed.strips]


def reasons(placed):
    return [one.reason for one in placed.left_out]


@pytest.mark.parametrize(
    "lines",
    [
        (baseline("first", 50, 108, 500), baseline("second", 60, 168, 480)),
        (polygon("first", 45, 80, 505, 120), polygon("second", 50, 135, 490, 185)),
    ],
)
def test_lines_get_the_text_at_their_baseline_or_in_their_polygon(lines):
    placed = match_places(found((piece(55, 160, 485),), (piece(50, 100, 500),)), lines)
    assert texts(placed) == ["first", "second"]
    assert reasons(placed) == []
    (first, second) = (strip.pixels for strip in placed.strips)
    assert first.shape == (STRIP_HEIGHT, 450 * 64 // 40 + 2 * MARGIN)
    assert second.shape == (STRIP_HEIGHT, 430 * 64 // 40 + 2 * MARGIN)


def test_pieces_of_one_line_are_joined_and_pieces_of_two_lines_are_parted():
    left, right = baseline("left", 50, 108, 280), baseline("right", 320, 108, 550)
    placed = match_places(found((piece(50, 100, 160), piece(170, 100, 280), piece(320, 100, 550))), [right, left])
    assert texts(placed) == ["right", "left"]
    assert [strip.pixels.shape[1] - 2 * MARGIN for strip in placed.strips] == [368, 368]


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([], Reason.NOT_FOUND),
        ([piece(50, 100, 300)], Reason.PARTLY_FOUND),
        ([piece(50, 100, 150), piece(350, 100, 500)], Reason.PARTLY_FOUND),
        ([piece(50, 100, 590)], Reason.FOUND_LONGER),
        ([piece(50, 108, 500, height=170)], None),
    ],
)
def test_less_or_more_than_the_line_is_left_out(pieces, reason):
    placed = match_places(found(tuple(pieces)) if pieces else found(), [baseline("text", 50, 108, 500)])
    assert (reasons(placed) or [None]) == [reason]
    assert texts(placed) == ([] if reason else ["text"])


def test_a_piece_on_several_lines_spoils_them_all():
    placed = match_places(
        found((piece(50, 100, 550),)), [baseline("left", 50, 108, 290), baseline("right", 310, 108, 550)]
    )
    assert reasons(placed) == [Reason.SHARED] * 2


def test_text_without_a_line_and_lines_without_text_writing_or_place_are_left_out():
    stamp = LabelledLine("KEW", baseline=(Point(50, 108), Point(500, 108)), kinds=("stamp",))
    lines = [stamp, baseline("", 50, 168, 500), LabelledLine("somewhere")]
    placed = match_places(found(*((piece(50, y, 500),) for y in (100, 160, 220))), lines)
    assert texts(placed) == []
    assert sorted(reasons(placed)) == sorted([Reason.NO_LABEL, Reason.NO_WRITING, Reason.EMPTY, Reason.NO_PLACE])


def test_a_line_that_runs_the_other_way_is_left_out():
    placed = match_places(found((piece(50, 100, 500),)), [baseline("text", 500, 108, 50)])
    assert reasons(placed) == [Reason.UPSIDE_DOWN]


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_places_are_turned_with_the_page(quarters):
    page = found((piece(50, 100, 500),), quarters=quarters)
    turned = tuple(page.upright.point(Point(x, 108)) for x in (50, 270, 500))
    assert texts(match_places(page, [LabelledLine("text", baseline=turned)])) == ["text"]


def test_pages_of_an_archive_are_packed_by_the_places_of_their_lines(params, tmp_path):
    font = ImageFont.load_default(40)
    body = []
    page = Image.new("L", (900, 400), 255)
    for number, text in enumerate(("some words to read", "another line of them", "left out € by a sign")):
        y = 60 + 110 * number
        ImageDraw.Draw(page).text((60, y), text, fill=0, font=font)
        left, top, right, bottom = font.getbbox(text)
        corners = f"{60 + left},{y + top} {60 + right},{y + top} {60 + right},{y + bottom} {60 + left},{y + bottom}"
        body.append(page_line(text, f"l{number}", corners, ""))
    for name in ("a", "b"):
        write_files(tmp_path / "pages", {f"{name}.xml": page_xml(region(*body), f"{name}.png", size=(900, 400))})
        page.save(tmp_path / "pages" / f"{name}.png")
    write_files(tmp_path / "pages", {"validation.list": "b"})
    section = params.preprocess.model_copy(update={"dpi": 150, "canvas_height": 192, "canvas_width": 1280})

    packed = pack_lines(LineSources((tmp_path / "pages",)), section, lambda _: [], tmp_path / "out")

    lines = sorted(line for text in PackedSplit.open(tmp_path / "out", "train").texts for line in text.split("\n"))
    assert lines == ["another line of them", "some words to read"]
    assert [one.reason for one in packed.parts["train"].left_out] == [Reason.UNKNOWN_CHARACTERS]
