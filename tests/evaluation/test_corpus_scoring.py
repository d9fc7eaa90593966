"""Scoring whole pages of a corpus that is not in IAM's layout."""

import signal

import cv2
import numpy as np
import pytest
from tests.drawn import draw_words

from text_recognizer.cli import main
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.metrics import character_edits
from text_recognizer.evaluation.corpus_scoring import score_corpus
from text_recognizer.inference import Recognizer

WRONG = "pen and ink"
TEXTS = {"one": "the red dog", "two": "and the hair", "three": "seven letter"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three pictures with a text file each; two are for the test. The text of `two` is not what is written there."""
    folder = tmp_path_factory.mktemp("corpus")
    for seed, (name, text) in enumerate(TEXTS.items()):
        cv2.imwrite(str(folder / f"{name}.png"), np.pad(draw_words(text, seed), 60, constant_values=250))
        (folder / f"{name}.txt").write_text(WRONG if name == "two" else text, encoding="utf-8")
    (folder / "test.list").write_text("one\ntwo\n")
    return folder


@pytest.mark.slow
def test_the_pages_of_a_part_are_read_whole_and_the_worst_are_named_first(corpus, model, section):
    score = score_corpus(corpus, "test", model, section)
    readings = {name: Recognizer.load(model).read(corpus / f"{name}.png").text for name in ("one", "two")}
    truths = {"one": TEXTS["one"], "two": WRONG}
    edits = {name: character_edits(truth, readings[name]).edits for name, truth in truths.items()}
    assert readings["two"] == TEXTS["two"]
    assert score.cer == sum(edits.values()) / sum(map(len, truths.values()))
    assert (score.pages, score.split, score.source) == (2, "test", "archive")
    assert score.worst_pages[0].id == "two"
    assert score.worst_pages[0].edits == edits["two"] > 5


def test_all_pages_are_scored_if_asked(corpus, model, section):
    assert score_corpus(corpus, "all", model, section).pages == 3


def test_a_page_that_cannot_be_opened_is_skipped_with_its_reason(corpus, model, section, tmp_path, capsys):
    for path in corpus.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "one.png").write_bytes(b"no picture")
    score = score_corpus(tmp_path, "test", model, section)
    assert [one.id for one in score.skipped] == ["one"]
    assert "one" in capsys.readouterr().err


@pytest.mark.parametrize(("part", "error"), [("tests", ConfigError), ("validation", DataError)])
def test_an_unknown_part_and_one_without_pages_are_refused_by_name(corpus, model, section, part, error):
    with pytest.raises(error) as caught:
        score_corpus(corpus, part, model, section)
    assert part in caught.value.what


def test_the_command_prints_the_worst_pages(corpus, model, capsys):
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            main(("score", "--archive", str(corpus), "--split", "test", "--model", str(model)))
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert ended.value.code == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1] == "two:"
