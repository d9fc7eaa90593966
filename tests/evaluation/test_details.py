"""Slices, runaways, calibration and robustness, against what can be counted by hand; and other libraries' figures."""

import math
import shutil

import editdistance
import jiwer
import numpy as np
import pytest
import torchmetrics.functional.text as torchmetrics

from text_recognizer.data.packed import PackedSplit
from text_recognizer.evaluation import calibration
from text_recognizer.evaluation.calibrate import calibrate
from text_recognizer.evaluation.card import write_card
from text_recognizer.evaluation.picture import ink, slant
from text_recognizer.evaluation.robustness import DISTURBANCES, blanks, labels, robustness
from text_recognizer.evaluation.slices import runaways, slices
from text_recognizer.evaluation.stage import evaluate
from text_recognizer.inference import Reading, ReadLine, Recognizer
from text_recognizer.inference.reading import OWN, Doubt, tempered
from text_recognizer.metrics import character_edits, word_edits
from text_recognizer.text import one_line


def strokes(angle):
    """A line of strokes that lean so many degrees to the right."""
    canvas = np.full((60, 300), 255, np.uint8)
    for left in range(40, 240, 20):
        for row in range(10, 50):
            column = left + round((50 - row) * math.tan(math.radians(angle)))
            canvas[row, column : column + 3] = 0
    return canvas


# --- slices


def test_slices_by_character_count_what_was_misread_of_each_kind(make_page, section):
    pages = [
        make_page("a", "w1", "Ann has 12 pens.", "ann has 72 pen."),
        make_page("b", "w2", "no digits", "no digits"),
    ]
    rows = {row["name"]: row for row in slices(pages, section) if row["by"] == "character"}
    assert (rows["digits"]["characters"], rows["digits"]["cer"], rows["digits"]["pages"]) == (2, 0.5, 1)
    assert (rows["capitals"]["characters"], rows["capitals"]["cer"]) == (1, 1.0)
    assert (rows["punctuation"]["characters"], rows["punctuation"]["cer"]) == (1, 0.0)
    assert rows["small letters"]["cer"] == 1 / 17
    assert rows["digits"]["interval"] is None, "one writer says nothing about another"


def test_slices_by_lines_and_length_add_up_to_the_whole(make_page, section):
    pages = [
        make_page("a", "w1", "one", "one"),
        make_page("b", "w2", "one\ntwo", "one\ntoo"),
        make_page("c", "w1", "x" * 60, ""),
    ]
    for by in ("lines", "length"):
        rows = [row for row in slices(pages, section) if row["by"] == by]
        assert sum(row["characters"] * row["cer"] for row in rows) == 61
        assert sum(row["pages"] for row in rows) == 3
    low, high = next(row for row in slices(pages, section) if row["name"] == "up to 50 characters")["interval"]
    assert low <= 1 / 10 <= high


@pytest.mark.parametrize("angle", [-20, 0, 20])
def test_the_slant_of_strokes_is_found(angle):
    assert slant(strokes(angle)) == pytest.approx(angle, abs=5)


def test_ink_is_the_share_of_dark_pixels_around_the_text():
    canvas = np.full((40, 40), 255, np.uint8)
    assert (ink(canvas), slant(canvas)) == (0.0, None)
    canvas[10:20, 10:12] = canvas[10:20, 18:20] = 0
    assert ink(canvas) == pytest.approx(0.4)


def test_loops_and_early_stops_are_named_by_their_length_ratio(make_page):
    pages = [
        make_page("fine", "w", "to be or not", "to be or nut"),
        make_page("loop", "w", "to be", "to be to be to be"),
        make_page("stop", "w", "to be or not", "to"),
        make_page("blank", "w", "", ""),
    ]
    assert [(row["id"], row["kind"]) for row in runaways(pages)] == [("loop", "loop"), ("stop", "early stop")]


# --- calibrated doubt


def reading(*lines):
    """Lines of (text, confidence of each character)."""
    return Reading.of([ReadLine(text, sum(sure) / len(sure), (0, 0, 1, 1), tuple(sure)) for text, sure in lines])


def test_a_word_is_as_sure_as_all_of_its_characters_together():
    line = ReadLine("to be", 0.7, (0, 0, 1, 1), (0.9, 0.5, 1.0, 0.8, 0.8))
    assert line.words == [("to", pytest.approx(0.45)), ("be", pytest.approx(0.64))]
    assert [word["text"] for word in line.as_dict()["words"]] == ["to", "be"]


def test_characters_words_and_lines_are_judged_each_by_what_they_promise():
    found = calibration.judged([("to be\nor not", reading(("to bo", [0.9] * 4 + [0.3]), ("or not", [0.8] * 6)))])
    assert found["characters"][1].tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    assert found["words"][1].tolist() == [1, 0, 1, 1]
    assert found["words"][0][1] == pytest.approx(0.9 * 0.3)
    assert found["lines"][1].tolist() == [pytest.approx(4 / 5), 1]


def test_the_expected_calibration_error_is_the_gap_weighed_by_how_many():
    sure, right = np.array([0.9] * 10 + [0.5] * 10), np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 5 + [0.0] * 5)
    assert calibration.expected_error((sure, right)) == pytest.approx(0.5 * 0.1)
    assert calibration.expected_error((np.array([]), np.array([]))) is None


def test_re_reading_the_least_sure_words_finds_most_of_the_wrong_ones():
    sure, right = np.linspace(0.01, 1, 100), np.array([0.0] * 8 + [1.0] * 90 + [0.0] * 2)
    (row,) = calibration.review((sure, right), (0.1,))
    assert (row["words"], row["found"], row["chance"]) == (10, 0.8, 0.1)
    assert row["threshold"] == pytest.approx(0.1)


@pytest.mark.parametrize(("temperature", "power"), [(0.5, 1.0), (1.0, 1.0), (2.5, 1.0), (1.6, 0.4)])
def test_the_confidences_that_were_true_are_found_again(temperature, power):
    # Given characters that are right as often as a doubt says
    generator = np.random.default_rng(3)
    scores = generator.normal(0, 3, (20_000, 10))
    logs, emitted = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), scores.argmax(axis=1)

    def confidences(doubt):
        return tempered(logs, doubt.temperature)[np.arange(len(logs)), emitted] ** doubt.power

    true = confidences(Doubt(temperature, power))
    # When a doubt is fitted to which of them were right
    found = calibration.fit(logs, emitted, (generator.random(len(true)) < true).astype(float))
    # Then it promises the same, as nearly as so many characters can tell
    assert np.abs(confidences(found) - true).mean() < 0.01


def test_calibrating_a_trained_reader_brings_its_doubt_nearer_the_truth_and_changes_no_text(
    learn_to_read, printed_words, copied
):
    model = copied(learn_to_read(130))
    canvases = np.asarray(PackedSplit.open(printed_words, "test").canvases)
    before = [one.text for one in Recognizer.load(model).read_canvases(canvases)]
    found = calibrate(model, printed_words)
    recognizer = Recognizer.load(model)
    assert recognizer.info.doubt == Doubt(found["temperature"], found["power"]) != OWN
    assert found["ece_characters_after"] < found["ece_characters"]
    assert [one.text for one in recognizer.read_canvases(canvases)] == before


@pytest.fixture
def copied(tmp_path):
    return lambda folder: shutil.copytree(folder, tmp_path / "reader")


# --- robustness


def test_every_disturbance_changes_a_page_and_none_the_one_that_is_left_alone():
    page = strokes(10)
    for name, (change, strengths, _) in DISTURBANCES.items():
        for strength in strengths:
            changed = change(page, strength)
            assert changed.dtype == np.uint8
            assert (changed.shape == page.shape and (changed == page).all()) == (name == "untouched")


def test_robustness_has_a_figure_for_each_strength_and_reads_nothing_where_there_is_nothing(
    learn_to_read, printed_words
):
    found = robustness(Recognizer.load(learn_to_read(130)), PackedSplit.open(printed_words, "test"), 2)
    assert list(found["cer"]) == labels() == list(dict.fromkeys(labels()))
    assert found["cer"]["inverted"] == found["cer"]["untouched"]
    assert found["blank_characters"] == 0
    assert len(blanks((20, 30))) == 3


# --- the model card


def test_the_card_says_how_good_the_model_is_where_it_is_weak_and_how_to_check(
    learn_to_read, printed_words, copied, section, tmp_path
):
    model = copied(learn_to_read(75))
    score = evaluate(
        printed_words, model, section, *(tmp_path / name for name in ("s.json", "p", "r.html", "m.csv", "c.csv"))
    )
    (tmp_path / "verdict.json").write_text(
        '{"rules": [{"name": "cer", "passed": false, "reason": "too high"}], "basis": "the limits",'
        ' "override": {"rules": ["cer"], "by": "Ann", "reason": "a trial"}}'
    )
    text = write_card(model, tmp_path / "s.json", tmp_path / "verdict.json", "printed words").read_text()
    said = {f"{score['cer']:.2%}", score["model"], score["sha256"], "printed words", "Known failures", "upside down",
            "text-recognizer verify", "Overridden by Ann", "a trial", "non-commercial"}  # fmt: skip
    assert {words for words in said if words not in text} == set()


# --- other libraries: where the conventions agree the figures do, and where not, this is why

CASES = [
    ("to be or not to be", "to bee or nut be"),
    ("Ann", "ann"),
    ("a sea of ink", ""),
    ("pens, paper", "pens paper"),
    ("the cat sat", "the the cat sat sat"),
]


def test_characters_agree_with_jiwer_torchmetrics_and_editdistance():
    truth, read = (list(side) for side in zip(*CASES, strict=True))
    own = [character_edits(*case) for case in CASES]
    rate = sum(one.edits for one in own) / sum(one.length for one in own)
    assert rate == pytest.approx(jiwer.cer(truth, read))
    assert rate == pytest.approx(float(torchmetrics.char_error_rate(read, truth)))
    assert [one.edits for one in own] == [editdistance.eval(*case) for case in CASES]


def test_words_agree_with_jiwer_torchmetrics_and_editdistance():
    truth, read = (list(side) for side in zip(*CASES, strict=True))
    own = [word_edits(*case) for case in CASES]
    rate = sum(one.edits for one in own) / sum(one.length for one in own)
    assert rate == pytest.approx(jiwer.wer(truth, read))
    assert rate == pytest.approx(float(torchmetrics.word_error_rate(read, truth)))
    assert [one.edits for one in own] == [editdistance.eval(a.split(), b.split()) for a, b in CASES]


def test_jiwer_does_not_split_words_at_a_newline_and_we_do():
    # Its default transform splits at single spaces, so two lines make one word of "be\nor".
    assert word_edits("to be\nor not", "to be or not").edits == 0
    assert jiwer.wer("to be\nor not", "to be or not") > 0


def test_jiwer_strips_the_ends_of_a_text_and_we_do_not():
    assert jiwer.cer("ink", " ink ") == 0
    assert character_edits("ink", " ink ").edits == 2
    # The score flattens both sides before it counts, so that there it makes no difference.
    assert character_edits(one_line("ink"), one_line(" ink ")).edits == 0
