"""The strips that the line classifier learns from: sources keep their splits, and each drawn kind is what it says."""

import numpy as np
import pytest
from PIL import Image

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.data.line_kind_augmentation import augment_strip
from text_recognizer.data.line_kind_drawings import written_strips
from text_recognizer.data.line_kind_patterns import PATTERNS, pattern_strips
from text_recognizer.data.line_kind_sources import (
    MAX_PART,
    KindPage,
    corpus_pages,
    files_of_split,
    picture_pages,
    spread,
)
from text_recognizer.data.line_kind_strips import strips_of_page
from text_recognizer.inference.line_kind import NONE, PRINTED, WRITTEN
from text_recognizer.pages.strips import STRIP_HEIGHT
from text_recognizer.pages.text_detection import TextBox

PAGE_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"


class _Detector:
    """Find one line at a given height, across the picture."""

    def __init__(self, *heights):
        self.heights = heights

    def detect(self, rgb):
        return [TextBox(rgb.shape[1] / 2, y, rgb.shape[1] * 0.8, 40.0, 0.0, 0.9) for y in self.heights]


def _page_of_bars(name="letters/1", zones=()):
    grey = np.full((400, 600), 255, dtype=np.uint8)
    for y in (100, 300):
        grey[y - 12 : y + 12, 60:540:9] = 0
    return KindPage(name, grey, zones)


def test_the_zone_of_a_line_says_its_kind():
    page = _page_of_bars(zones=((Box(0, 0, 600, 200), PRINTED), (Box(0, 200, 600, 200), WRITTEN)))
    strips = list(strips_of_page(page, _Detector(100, 300), np.random.default_rng(1)))
    assert {strip.kind for strip in strips} == {PRINTED, WRITTEN}
    assert all(strip.pixels.shape[0] == STRIP_HEIGHT for strip in strips)


def test_a_line_outside_all_zones_is_left_out():
    page = _page_of_bars(zones=((Box(0, 0, 600, 200), PRINTED),))
    strips = list(strips_of_page(page, _Detector(100, 300), np.random.default_rng(1)))
    assert strips
    assert {strip.kind for strip in strips} == {PRINTED}


def test_a_picture_gives_strips_where_nothing_is_detected():
    page = _page_of_bars("pictures/1", ((Box(0, 0, 600, 400), NONE),))
    strips = list(strips_of_page(page, _Detector(), np.random.default_rng(1)))
    assert len(strips) >= 3
    assert {strip.kind for strip in strips} == {NONE}


def test_a_folder_without_a_list_is_refused(tmp_path):
    with pytest.raises(DataError):
        list(corpus_pages(tmp_path, "train", 5))


def test_only_lines_of_a_page_xml_count(tmp_path):
    Image.new("L", (200, 1000), 255).save(tmp_path / "a (1).png")
    line = '<TextLine><Coords points="{}"/><TextEquiv><Unicode>{}</Unicode></TextEquiv></TextLine>'
    rows = [
        line.format("0,10 90,10 90,40", "THE CAMP"),
        line.format("0,50 90,50 90,80", "To be left out"),
        line.format("0,500 90,500 90,540", "My dear Sir"),
    ]
    region = f'<TextRegion id="r"><Coords points="0,0 199,0 199,999"/>{"".join(rows)}</TextRegion>'
    page = f'<Page imageFilename="a (1).png" imageWidth="200" imageHeight="1000">{region}</Page>'
    (tmp_path / "a (1).xml").write_text(f'<PcGts xmlns="{PAGE_NAMESPACE}">{page}</PcGts>')
    (tmp_path / "train.list").write_text("a (1).png\n")
    (page,) = corpus_pages(tmp_path, "train", 5)
    assert [kind for _, kind in page.zones] == [PRINTED, WRITTEN]
    assert page.kind_at(30, 520) == WRITTEN
    assert page.kind_at(30, 60) is None


def test_pictures_are_split_by_name_and_broken_ones_are_skipped(tmp_path):
    for index in range(40):
        Image.new("L", (80, 80), 128).save(tmp_path / f"p{index}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    names = {split: {page.name for page in picture_pages(tmp_path, split, 40)} for split in ("train", "validation")}
    assert len(names["train"] | names["validation"]) == 40
    assert names["validation"]
    assert not names["train"] & names["validation"]


def test_of_a_large_picture_the_same_part_is_used_each_time(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1500), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    first, second = (next(picture_pages(tmp_path, split, 1), None) for split in ("train", "train"))
    if first is None:  # the name decides the split
        first, second = (next(picture_pages(tmp_path, "validation", 1)) for _ in range(2))
    assert first.grey.shape == (MAX_PART, MAX_PART)
    assert np.array_equal(first.grey, second.grey)


def test_chosen_pages_are_spread_over_the_list():
    assert spread(list("abcdefghi"), 3) == ["a", "e", "i"]
    assert spread(["a", "b"], 5) == ["a", "b"]
    assert spread([], 3) == []


def test_the_styles_of_a_font_stay_together(tmp_path):
    for family in range(30):
        for style in ("Bold", "Italic"):
            (tmp_path / f"family{family}-{style}.ttf").touch()
    stems = [path.stem.partition("-")[0] for path in files_of_split(tmp_path, (".ttf",), "validation")]
    assert stems
    assert all(stems.count(stem) == 2 for stem in stems)


def test_each_pattern_draws_something_and_repeats():
    strips = list(pattern_strips(len(PATTERNS), "train"))
    assert all(np.ptp(strip.pixels) > 50 for strip in strips)
    again = list(pattern_strips(len(PATTERNS), "train"))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(strips, again, strict=True))


def test_augmentation_repeats_and_keeps_the_ink():
    strip = next(written_strips(1, "validation")).pixels
    changed = [augment_strip(strip, [strip[::-1]], np.random.default_rng(seed)) for seed in range(30)]
    again = augment_strip(strip, [strip[::-1]], np.random.default_rng(3))
    assert np.array_equal(changed[3], again)
    assert {picture.shape[0] for picture in changed} == {STRIP_HEIGHT}
    assert np.mean([(picture < 128).mean() > 0.003 for picture in changed]) > 0.9
