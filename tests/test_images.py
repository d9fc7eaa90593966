"""From picture files to the canvas."""

import io

import numpy as np
import pytest
from PIL import Image

from text_recognizer import images
from text_recognizer.errors import DataError
from text_recognizer.images import ink_box, level, middle_rows, open_picture, place, skew, straighten, turned

GREY = np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))


def written(ink=30, paper=240):
    """Paper with a bar of ink at rows 20 to 30 and columns 40 to 90."""
    page = np.full((60, 120), paper, dtype=np.uint8)
    page[20:30, 40:90] = ink
    return page


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_every_accepted_format_is_read_as_grey(encoded, kind, mode):
    picture = Image.fromarray(written(0, 255)).convert(mode)
    if kind in ("JPEG", "WEBP") and mode in ("P", "1"):
        picture = picture.convert("L")
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    grey = open_picture(encoded(picture, kind, **options))
    assert grey.dtype == np.uint8
    assert grey.shape == (60, 120)
    assert np.abs(grey.astype(int) - written(0, 255)).max() <= (20 if kind == "JPEG" else 0)


def test_a_file_is_read_as_its_bytes_are(encoded, tmp_path):
    content = encoded(Image.fromarray(GREY))
    (tmp_path / "page.png").write_bytes(content)
    np.testing.assert_array_equal(open_picture(tmp_path / "page.png"), open_picture(content))


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (6, 3), (3, 2), (8, 1)])
def test_a_photograph_is_turned_as_its_camera_says(encoded, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey = open_picture(encoded(Image.fromarray(GREY), "PNG", exif=exif))
    np.testing.assert_array_equal(grey, np.rot90(GREY, turn))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_paper(encoded, mode):
    # Given a black picture of which the left half is transparent
    alpha = np.full((10, 20), 255, dtype=np.uint8)
    alpha[:, :10] = 0
    layer = Image.merge("LA", [Image.new("L", (20, 10), 0), Image.fromarray(alpha)])
    # When it is read, then that half is white and the other black
    grey = open_picture(encoded(layer.convert("RGBA").convert(mode), "PNG"))
    assert (grey[:, :10] == 255).all()
    assert (grey[:, 10:] == 0).all()


def test_a_scan_of_16_bits_keeps_its_shades(encoded):
    grey = open_picture(encoded(Image.fromarray(GREY.astype(np.uint16) * 257)))
    np.testing.assert_allclose(grey, GREY * (255 / GREY.max()), atol=1)


@pytest.mark.parametrize("faults", [[np.nan], [np.inf], [-1e9]])
def test_a_picture_of_real_numbers_is_read_despite_numbers_that_are_none(encoded, faults):
    values = written().astype(np.float32) / 255
    values[0, : len(faults)] = faults
    grey = open_picture(encoded(Image.fromarray(values), "TIFF"))
    assert ink_box(level(grey)) == (40, 20, 90, 30)


def test_a_palette_is_resolved_to_its_colours(encoded):
    picture = Image.fromarray(written()).convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    picture.putpalette([255, 255, 255, 0, 0, 0] if picture.getpixel((0, 0)) == 0 else [0, 0, 0, 255, 255, 255])
    grey = open_picture(encoded(picture))
    np.testing.assert_array_equal(grey, written(0, 255))


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(DataError, match=r"page\.png does not exist"):
        open_picture(tmp_path / "page.png")


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7 text", b"<html></html>"])
def test_what_is_no_picture_is_refused_by_name(content):
    with pytest.raises(DataError, match=r"upload 7 is not a picture") as caught:
        open_picture(content, "upload 7")
    assert "PNG" in caught.value.fix


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_a_truncated_picture_is_refused_by_name(encoded, tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    (tmp_path / "half").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"half is (a broken|not a) picture"):
        open_picture(tmp_path / "half")


def test_a_folder_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=str(tmp_path)):
        open_picture(tmp_path)


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(encoded, monkeypatch):
    content = encoded(Image.fromarray(GREY))
    monkeypatch.setattr(images, "MAX_PIXELS", GREY.size - 1)
    with pytest.raises(DataError, match=r"upload has more than 2,399 pixels"):
        open_picture(content, "upload")


@pytest.mark.parametrize("side", [9_000, 40_000])
def test_a_picture_that_unpacks_to_gigabytes_is_refused(side):
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG")
    with pytest.raises(DataError, match="more than 60,000,000 pixels"):
        open_picture(stream.getvalue())


@pytest.mark.parametrize(("ink", "paper"), [(30, 240), (100, 180), (0, 255)])
def test_level_stretches_to_black_ink_on_white_paper(ink, paper):
    np.testing.assert_array_equal(level(written(ink, paper)), written(0, 255))


def test_level_turns_light_writing_on_dark_ground_round():
    np.testing.assert_array_equal(level(written(220, 40)), written(0, 255))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_an_even_page_is_blank(shade):
    assert (level(np.full((50, 50), shade, dtype=np.uint8)) == 255).all()


def test_a_page_of_paper_grain_is_blank():
    grain = np.random.default_rng(0).integers(225, 245, (80, 80), dtype=np.uint8)
    assert (level(grain) == 255).all()
    assert ink_box(level(grain)) is None


def test_the_ink_s_box_is_around_the_ink_and_not_around_specks():
    page = level(written())
    page[2, 2] = 0
    assert ink_box(page) == (40, 20, 90, 30)


@pytest.mark.parametrize("first", range(0, 40, 7))
def test_the_middle_rows_are_about_a_third_and_cut_no_line(first):
    # Given lines of 20 rows, one each 40 rows
    page = np.full((400, 500), 255, dtype=np.uint8)
    for top in range(first, 400, 40):
        page[top : top + 20] = 0
    rows = middle_rows(page)
    assert 80 <= rows.stop - rows.start <= 190
    assert rows.start < 200 < rows.stop
    assert (page[[rows.start, rows.stop]] == 255).all()


@pytest.mark.parametrize("shape", [(99, 500), (1, 1), (2, 900)])
def test_all_rows_of_a_low_picture_are_middle_ones(shape):
    assert middle_rows(np.zeros(shape, dtype=np.uint8)) == slice(0, shape[0])


@pytest.mark.parametrize("shape", [(3000, 7), (101, 500), (2, 1)])
def test_the_middle_rows_are_never_none(shape):
    rows = middle_rows(np.zeros(shape, dtype=np.uint8))
    assert 0 <= rows.start < rows.stop <= shape[0]


@pytest.mark.parametrize("shape", [(60, 120), (500, 20), (20, 500), (1, 1), (3000, 7), (64, 96)])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.7])
def test_place_never_leaves_the_canvas(shape, scale):
    placed = place(np.zeros(shape, dtype=np.uint8), (64, 96), scale)
    assert placed.canvas.shape == (64, 96)
    assert placed.scale <= scale
    rows, columns = (placed.canvas < 128).any(axis=1).sum(), (placed.canvas < 128).any(axis=0).sum()
    assert (rows, columns) == tuple(max(1, round(side * placed.scale)) for side in shape)


@pytest.mark.parametrize("scale", [0.25, 0.6, 1.0, 1.3])
def test_to_picture_takes_a_box_back_to_where_it_was_cut_out(scale):
    # Given a bar at rows 20 to 30 and columns 40 to 90 of a piece that was cut out at (100, 50)
    placed = place(level(written()), (80, 160), scale, left=100, top=50)
    # When the bar is found on the canvas and taken back
    left, top, right, bottom = ink_box(placed.canvas)
    x, y, width, height = placed.to_picture((left, top, right - left, bottom - top))
    # Then it is where it was, to a pixel of the canvas
    errors = np.abs(np.array([x - 140, y - 70, width - 50, height - 10]))
    assert (errors <= max(1, 1 / placed.scale)).all()


def ruled(shade):
    """Rows of strokes on paper of 240, under a shadow: `shade` gives its brightness at (y, x), both 0 to 1."""
    page = np.full((400, 600), 240.0)
    for top in range(40, 360, 40):
        page[top : top + 14, 40:560:6] = 40
    y, x = np.mgrid[0:1:400j, 0:1:600j]
    return np.round(page * shade(y, x)).astype(np.uint8)


SHADES = {
    "from the side": lambda _, x: 1 - 0.5 * x,
    "in a corner": lambda y, x: 1 - 0.5 * np.clip(1 - np.hypot(x - 1, y), 0, 1),
}


@pytest.mark.parametrize("shade", SHADES.values(), ids=SHADES.keys())
def test_a_shadow_is_taken_off_the_paper(shade):
    lit, shaded = level(ruled(lambda _, x: np.ones_like(x))), level(ruled(shade))

    assert ((shaded < 128) == (lit < 128)).mean() > 0.999
    assert (shaded[lit == 255] > 230).mean() > 0.999


@pytest.mark.parametrize("shade", [lambda _, x: np.ones_like(x), lambda _, x: 1 - 0.1 * x], ids=["none", "slight"])
def test_even_paper_is_left_as_it_is(shade):
    page = ruled(shade)
    assert images.even(page) is page


@pytest.mark.parametrize(
    "page",
    [255 - ruled(lambda _, x: np.ones_like(x)), np.zeros((400, 600), np.uint8), np.full((1, 1), 9, np.uint8)],
    ids=["light on dark", "black", "a dot"],
)
def test_what_has_no_paper_is_left_as_it_is(page):
    assert images.even(page) is page


@pytest.mark.parametrize("size", [1, 2, 3, 101, 5000])
def test_percentiles_from_the_histogram_are_numpy_s(size):
    values = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    assert images.percentiles(values, (0.5, 50, 99.5)) == pytest.approx(list(np.percentile(values, (0.5, 50, 99.5))))


def test_otsu_parts_two_heaps_and_binarising_uses_it():
    page = np.where(np.arange(1000).reshape(20, 50) % 7 == 0, 60, 180).astype(np.uint8)
    assert 60 <= images.otsu(page) < 180
    assert set(np.unique(level(page, binarise=True))) == {0, 255}
    assert images.otsu(np.full((4, 4), 7, np.uint8)) >= 0


# --- skewed lines


def lines_of_ink(count=4, height=400, width=500):
    """Rows of strokes that stand as close as letters do, on paper."""
    page = np.full((height, width), 255, dtype=np.uint8)
    for top in range(40, 40 + 70 * count, 70):
        for left in range(30, width - 30, 9):
            page[top : top + 20 + left % 7, left : left + 3] = 0
    return page


@pytest.mark.parametrize("degrees", [-7, -4, -2, 1.5, 3, 6])
@pytest.mark.parametrize("lines", [1, 4])
def test_skewed_lines_are_turned_level(degrees, lines):
    page = turned(lines_of_ink(lines), degrees)
    assert skew(page) == pytest.approx(degrees, abs=0.3)
    assert abs(straighten(page).degrees + degrees) <= 0.3
    assert skew(straighten(page).grey) == 0


@pytest.mark.parametrize("page", [lines_of_ink(), turned(lines_of_ink(), 0.4), np.full((30, 40), 255, np.uint8), GREY])
def test_what_is_level_or_holds_no_lines_stays_as_it_was(page):
    straight = straighten(page)
    assert straight.grey is page
    assert straight.to_picture((3, 4, 5, 6)) == (3, 4, 5, 6)


def test_a_single_word_is_not_taken_for_a_skewed_line():
    # Given a word whose tall letter and whose tail make a slope
    page = np.full((60, 90), 255, dtype=np.uint8)
    page[10:30, 10:14] = page[20:30, 30:34] = page[20:30, 50:54] = page[20:44, 70:74] = 0
    assert skew(page) == 0


@pytest.mark.parametrize("degrees", [-5, 3])
def test_a_box_of_a_straightened_picture_is_where_its_ink_was(degrees):
    # Given a blot beside skewed lines, in the corner of the picture
    page = lines_of_ink()
    page[345:385, 440:490] = 0
    skewed = turned(page, degrees)
    straight = straighten(skewed)
    # When its box, as it stands once straightened, is taken back
    height, width = page.shape
    dy, dx = (straight.grey.shape[0] - height) / 2, (straight.grey.shape[1] - width) / 2
    left, top, wide, high = straight.to_picture((440 + round(dx), 345 + round(dy), 50, 40))
    # Then all of the blot lies in it, and not much else
    blot = np.full_like(page, 255)
    blot[345:385, 440:490] = 0
    x0, y0, x1, y1 = ink_box(turned(blot, degrees))
    assert abs(left - x0) <= 3
    assert abs(top - y0) <= 3
    assert abs(left + wide - x1) <= 3
    assert abs(top + high - y1) <= 3
