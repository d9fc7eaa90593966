"""Opening picture files as grey pixels."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.pages.pages import GREY, bar_page

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.pages import opening
from text_recognizer.pages.foreground import foreground_box
from text_recognizer.pages.normalisation import normalise_contrast
from text_recognizer.pages.opening import open_picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_every_accepted_format_is_read_as_grey(encoded, kind, mode):
    picture = Image.fromarray(bar_page(0, 255)).convert(mode)
    if kind in ("JPEG", "WEBP") and mode in ("P", "1"):
        picture = picture.convert("L")
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    grey = open_picture(encoded(picture, kind, **options))
    assert grey.dtype == np.uint8
    assert grey.shape == (60, 120)
    assert np.abs(grey.astype(int) - bar_page(0, 255)).max() <= (20 if kind == "JPEG" else 0)


def test_a_file_is_read_like_its_bytes(encoded, tmp_path):
    content = encoded(Image.fromarray(GREY))
    (tmp_path / "page.png").write_bytes(content)
    np.testing.assert_array_equal(open_picture(tmp_path / "page.png"), open_picture(content))


@pytest.mark.parametrize(("orientation", "quarter_turns"), [(1, 0), (6, 3), (3, 2), (8, 1)])
def test_a_photograph_is_rotated_by_its_exif_orientation(encoded, orientation, quarter_turns):
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey = open_picture(encoded(Image.fromarray(GREY), "PNG", exif=exif))
    np.testing.assert_array_equal(grey, np.rot90(GREY, quarter_turns))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_become_white(encoded, mode):
    # A black picture whose left half is transparent.
    alpha = np.full((10, 20), 255, dtype=np.uint8)
    alpha[:, :10] = 0
    layer = Image.merge("LA", [Image.new("L", (20, 10), 0), Image.fromarray(alpha)])
    grey = open_picture(encoded(layer.convert("RGBA").convert(mode), "PNG"))
    assert (grey[:, :10] == 255).all()
    assert (grey[:, 10:] == 0).all()


def test_a_scan_of_16_bits_keeps_its_shades(encoded):
    grey = open_picture(encoded(Image.fromarray(GREY.astype(np.uint16) * 257)))
    np.testing.assert_allclose(grey, GREY * (255 / GREY.max()), atol=1)


@pytest.mark.parametrize("values", [[np.nan], [np.inf], [-1e9]])
def test_a_picture_of_floats_may_hold_nan_infinity_and_negative_values(encoded, values):
    pixels = bar_page().astype(np.float32) / 255
    pixels[0, : len(values)] = values
    grey = open_picture(encoded(Image.fromarray(pixels), "TIFF"))
    assert foreground_box(normalise_contrast(grey)) == Box(40, 20, 50, 10)


def test_a_palette_is_resolved_to_its_colours(encoded):
    picture = Image.fromarray(bar_page()).convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    picture.putpalette([255, 255, 255, 0, 0, 0] if picture.getpixel((0, 0)) == 0 else [0, 0, 0, 255, 255, 255])
    np.testing.assert_array_equal(open_picture(encoded(picture)), bar_page(0, 255))


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        open_picture(tmp_path / "page.png")
    assert str(tmp_path / "page.png") in caught.value.what


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7 text", b"<html></html>"])
def test_a_file_that_is_no_picture_is_refused_by_name(content):
    with pytest.raises(DataError) as caught:
        open_picture(content, "upload 7")
    assert "upload 7" in caught.value.what
    assert "PNG" in caught.value.fix


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_a_truncated_picture_is_refused_by_name(encoded, tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    (tmp_path / "half").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError) as caught:
        open_picture(tmp_path / "half")
    assert str(tmp_path / "half") in caught.value.what


def test_a_folder_is_refused_by_name(tmp_path):
    with pytest.raises(DataError) as caught:
        open_picture(tmp_path)
    assert str(tmp_path) in caught.value.what


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(encoded, monkeypatch):
    content = encoded(Image.fromarray(GREY))
    monkeypatch.setattr(opening, "MAX_PIXELS", GREY.size - 1)
    monkeypatch.setattr(opening, "_to_grey", lambda _: pytest.fail("the picture was decoded"))
    with pytest.raises(DataError) as caught:
        open_picture(content, "upload")
    assert "2,399 pixels" in caught.value.what


# The second size is beyond the limit of Pillow itself.
@pytest.mark.parametrize("side", [9_000, 20_000])
def test_a_small_file_that_decodes_to_very_many_pixels_is_refused(side):
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG", compress_level=1)
    with pytest.raises(DataError) as caught:
        open_picture(stream.getvalue())
    assert "60,000,000 pixels" in caught.value.what
