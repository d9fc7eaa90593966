"""The pages that are read are counted, and compared with those that the model was scored on."""

import json

import pytest
from starlette.testclient import TestClient

from text_recognizer.core.geometry import Box
from text_recognizer.core.schemas import Drift, Line, Page, Timing, Word
from text_recognizer.serving.reading_drift import MIN_PAGES, WINDOW, PageWatch, Reference

REFERENCE = Reference(words_per_page=60, confidence=0.85, threshold=0.5, doubtful=0.1)
BOX = Box(0, 0, 10, 10)


def page(words=60, sure=0.9, unsure=0.4, doubtful=0.1, kind="written"):
    """Make a page of one line. A share of its words is doubtful."""
    count = round(words * doubtful)
    confidences = [unsure] * count + [sure] * (words - count)
    made = tuple(Word(text="word", confidence=confidence, box=BOX) for confidence in confidences)
    lines = (Line(text="words", confidence=0.9, box=BOX, words=made, kind=kind),) if words else ()
    return Page(text="", confidence=0.9, lines=lines, timings=(Timing(step="find lines", seconds=0.2),))


def watched(*pages):
    watch = PageWatch()
    watch.begin("d" * 64, REFERENCE)
    for one in pages:
        watch.add(one)
    return watch


def drifted(*pages):
    return {figure.name for figure in watched(*pages).compare().figures if figure.drifted}


def test_pages_like_those_of_the_score_have_not_drifted():
    found = watched(*[page()] * MIN_PAGES).compare()
    assert (found.pages, found.drifted) == (MIN_PAGES, False)
    assert {figure.name: figure.recent for figure in found.figures} == pytest.approx(
        {"blank_pages": 0, "confidence": 0.85, "doubtful_words": 0.1, "words_per_page": 60}
    )


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (page(sure=0.7), {"confidence"}),
        (page(doubtful=0.4, unsure=0.45, sure=1.0), {"doubtful_words"}),
        (page(words=10), {"words_per_page"}),
        (page(words=200), {"words_per_page"}),
        (page(kind="printed"), {"blank_pages"}),
        (page(words=0), {"blank_pages"}),
    ],
    ids=["less sure", "more doubtful words", "few words", "many words", "print", "empty"],
)
def test_pages_unlike_those_of_the_score_have_drifted(other, names):
    assert drifted(*[other] * MIN_PAGES) == names


def test_a_few_pages_say_nothing():
    assert drifted(*[page(sure=0.1)] * (MIN_PAGES - 1)) == set()


def test_only_the_last_pages_count():
    assert drifted(*[page(sure=0.1)] * WINDOW, *[page()] * WINDOW) == set()


def test_another_model_begins_anew():
    watch = watched(*[page(sure=0.1)] * MIN_PAGES)
    assert watch.compare().drifted is True
    watch.begin("e" * 64, REFERENCE)
    assert (watch.compare().pages, watch.compare().drifted) == (0, False)


def test_without_a_score_there_is_nothing_to_compare_with(tmp_path):
    assert Reference.read(tmp_path / "score.json") is None
    (tmp_path / "score.json").write_text(json.dumps({"words": 10, "pages": 0, "calibration": {}}))
    assert Reference.read(tmp_path / "score.json") is None
    watch = PageWatch()
    for _ in range(MIN_PAGES):
        watch.add(page(sure=0.1))
    assert (watch.compare().figures, watch.compare().drifted) == ((), False)


def test_the_reference_is_read_from_the_score_of_the_pretrained_reader(model):
    score = json.loads((model / "score.json").read_text(encoding="utf-8"))
    found = Reference.read(model / "score.json")
    assert found.words_per_page == score["words"] / score["pages"]
    assert found.doubtful == score["calibration"]["at_budget"]["share"]
    assert 0 < found.threshold < found.confidence < 1


def test_the_metrics_count_what_was_read_and_name_the_model(application, handwriting):
    app = application()
    app.state.served.watch.begin("d" * 64, REFERENCE)
    client = TestClient(app)
    lines = client.post("/read", files={"picture": handwriting.read_bytes()}).json()["lines"]
    metrics = client.get("/metrics").text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in metrics if not line.startswith("#"))
    words = sum(len(line["words"]) for line in lines)
    assert words > 0
    assert float(values["text_recognizer_pages_total"]) == 1
    assert float(values["text_recognizer_lines_total"]) == len(lines)
    assert float(values["text_recognizer_word_confidence_count"]) == words
    assert float(values['text_recognizer_step_seconds_count{step="find lines"}']) == 1
    assert values[f'text_recognizer_model{{digest="{"d" * 64}"}}'] == "1.0"
    assert values['text_recognizer_drifted{figure="confidence"}'] == "0.0"
    assert Drift.model_validate(client.get("/drift").json()).pages == 1
