"""Printed strips for the line classifier: every setting prints, and the same split prints the same."""

from pathlib import Path

import numpy as np
import pytest

from text_recognizer.data.line_kind_print import Setting, display_strip, has_latin, printed_strip, printed_strips
from text_recognizer.data.line_kind_print_texts import printed_text
from text_recognizer.inference.line_kind import PRINTED
from text_recognizer.pages.strips import STRIP_HEIGHT


@pytest.fixture(scope="module")
def font():
    folder = Path(pytest.importorskip("matplotlib").get_data_path()) / "fonts" / "ttf"
    return folder / "DejaVuSerif-Italic.ttf"


def test_every_setting_prints(font):
    rng = np.random.default_rng(3)
    settings = {Setting.draw(40, rng).underlined for _ in range(200)}
    strips = [printed_strip(font, ["above it", "Some words", "below"], rng) for _ in range(60)]
    assert settings == {True, False}
    assert {strip.shape[0] for strip in strips} == {STRIP_HEIGHT}
    assert all(np.mean(strip < 128) > 0.002 for strip in strips)


def test_printed_strips_repeat_and_differ_by_split(font):
    first, again, held_out = (list(printed_strips([font], 6, split)) for split in ("train", "train", "validation"))
    assert {strip.kind for strip in first} == {PRINTED}
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, held_out, strict=True))


def test_a_file_that_is_no_font_is_left_out(tmp_path):
    (tmp_path / "a.ttf").write_bytes(b"no font")
    assert not has_latin(tmp_path / "a.ttf")
    assert list(printed_strips([tmp_path / "a.ttf"], 3, "train")) == []


def test_texts_are_of_many_kinds():
    rng = np.random.default_rng(1)
    texts = [printed_text(iter(["word"] * 20), rng) for _ in range(200)]
    assert all(text.strip() for text in texts)
    assert any(text.isupper() for text in texts)
    assert any(text.replace(" ", "").isdigit() for text in texts)


def test_a_display_shows_segments():
    strip = display_strip(np.random.default_rng(2))
    assert strip.shape[0] == STRIP_HEIGHT
    assert 0.01 < np.mean(strip < 128) < 0.5
