"""Crossed-out words are marked in the records, or dropped with all that belongs to them."""

from dataclasses import replace

import pytest

from text_recognizer.core.charset import is_crossed_out
from text_recognizer.core.geometry import Box
from text_recognizer.inference.crossed_out import drop_crossed_out
from text_recognizer.inference.transcription import PageGeometry, TranscribedLine, Transcription

BOX = Box(0, 0, 100, 20)


def line(text, region=0):
    """A line whose characters have different confidences, and whose words have different boxes."""
    characters = tuple((index + 1) / (len(text) + 1) for index in range(len(text)))
    boxes = tuple(Box(10 * index, 0, 8, 20) for index in range(len(text.split(" "))))
    return TranscribedLine(text, sum(characters) / len(text), BOX, characters, boxes, region=region)


def dropped(text):
    page = drop_crossed_out(Transcription.of([line(text)]))
    return page.lines[0] if page.lines else None


@pytest.mark.parametrize(
    ("word", "crossed_out"),
    [("#", True), ("##", True), ("#,", True), ("(#)", True), ("#5", False), ("m#u", False), (",", False), ("", False)],
)
def test_a_word_is_crossed_out_if_it_is_nothing_but_the_sign(word, crossed_out):
    assert is_crossed_out(word) == crossed_out


def test_words_in_the_record_say_whether_they_are_crossed_out():
    (record,) = Transcription.of([line("to # be #5")]).to_record().lines
    assert [(word.text, word.crossed_out) for word in record.words] == [
        ("to", False), ("#", True), ("be", False), ("#5", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("to # be", "to be"),
        ("# to be", "to be"),
        ("to be #.", "to be"),
        ("to ## # be", "to be"),
        ("to b#e or#", "to be or"),
        ("item #5 of #7", "item #5 of #7"),
        ("to be", "to be"),
    ],
)
def test_the_text_has_no_crossed_out_words(text, left):
    assert dropped(text).text == left


def test_the_other_words_keep_their_boxes_and_confidences():
    before, after = line("to # be"), dropped("to # be")
    assert after.word_boxes == (before.word_boxes[0], before.word_boxes[2])
    assert after.words == [before.words[0], before.words[2]]
    assert len(after.characters) == len(after.text)
    assert after.confidence == pytest.approx(sum(after.characters) / len(after.text))
    assert (after.box, len(after.to_record().words)) == (BOX, 2)


def test_a_line_of_crossed_out_words_is_removed_with_its_region():
    geometry = PageGeometry(100, 60, regions=(Box(0, 0, 1, 1), Box(1, 0, 1, 1), Box(2, 0, 1, 1)))
    page = replace(Transcription.of([line("a", 0), line("# #", 1), line("b", 2)]), geometry=geometry)
    left = drop_crossed_out(page)
    assert (left.text, [one.region for one in left.lines]) == ("a\nb", [0, 1])
    assert left.geometry.regions == (geometry.regions[0], geometry.regions[2])
    assert (left.geometry.width, left.geometry.height) == (100, 60)
    assert left.confidence == pytest.approx(Transcription.of(left.lines).confidence)
    assert left.to_record().lines[1].region == 1


def test_a_page_of_crossed_out_words_is_empty():
    left = drop_crossed_out(Transcription.of([line("#"), line("# ##")]))
    assert (left.text, left.lines, left.confidence) == ("", (), 1.0)


def test_lines_without_words_boxes_or_confidences_are_kept_too():
    left = drop_crossed_out(Transcription.of([TranscribedLine("to # be", 0.7, BOX)]))
    assert (left.text, left.confidence, left.lines[0].word_boxes) == ("to be", 0.7, ())
