"""The report: it needs no network, shows the figures of the score, and is safe whatever a model reads."""

import csv
import re
import string
from html.parser import HTMLParser

import numpy as np
import pytest

from text_recognizer.core.schemas import PerturbedScore, Provenance, Robustness, Score
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.evaluation import curves
from text_recognizer.evaluation.confusions import Confusion, as_csv, count_confusions
from text_recognizer.evaluation.details import describe
from text_recognizer.evaluation.score_report import NUM_CONFUSIONS, marked_spans, render, writers_worst_first
from text_recognizer.evaluation.scoring import summarise
from text_recognizer.inference import ModelInfo
from text_recognizer.inference.transcription import UNCALIBRATED

DIGEST = "0" * 64
CURVES = "step,train/loss,validation/loss,validation/cer\n10,2.5,2.6,0.9\n20,1.5,1.7,0.4\n"


class Tree(HTMLParser):
    """The tags of a document with their attributes, its text, and the tags that are not closed."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, document):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


@pytest.fixture
def info():
    return ModelInfo(
        model_class="LineReader",
        charset=(),
        canvas_height=64,
        canvas_width=128,
        dpi=50,
        padding=4,
        cell_height=16,
        cell_width=4,
        weights_sha256="0" * 64,
        graph_sha256="1" * 64,
    )


@pytest.fixture
def score_of(section):
    """Make the score of some pages, without the figures that need a model."""
    digests = dict.fromkeys(
        ("split", "labels", "graph", "weights", "reader", "charset", "normalisation", "code"), DIGEST
    )
    provenance = Provenance(**digests, parameters={}, packages={})

    def make(pages, robustness=None):
        return Score(
            **dict(summarise(pages, section)),
            **dict(describe(pages, section, UNCALIBRATED)),
            robustness=robustness,
            model=DIGEST,
            data=DIGEST,
            source=None,
            provenance=provenance,
            sha256=DIGEST,
        )

    return make


@pytest.fixture
def draw(info, score_of, tmp_path):
    """Render the report of some pages on canvases of noise."""

    def document(pages, gallery=10, table=CURVES, robustness=None):
        path = tmp_path / "curves.csv"
        if table is not None:
            path.write_text(table)
        canvases = np.random.default_rng(1).integers(0, 2, (len(pages), 32, 48), dtype=np.uint8) * 255
        packed = PackedSplit(canvases, tuple(PackedPage(one.id, one.writer, one.reference, ()) for one in pages))
        return render(score_of(pages, robustness), pages, packed, info, gallery, path)

    return document


def plain_text(document):
    """The text of a document with single spaces."""
    return " ".join(Tree(document).text.split())


def test_the_report_is_well_formed_and_needs_no_network(draw, worked):
    document = draw(worked)
    tree = Tree(document)
    assert tree.open == []
    assert "http" not in document
    assert "//" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", document)
    sources = [attributes[name] for _, attributes in tree.tags for name in ("src", "href") if name in attributes]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert not {"script", "iframe", "object"} & {tag for tag, _ in tree.tags}


def test_the_headline_states_the_cer_its_interval_and_the_size_of_the_split(draw, worked):
    text = plain_text(draw(worked))
    for figure in ("12.5", "95 %", "8.33 %", "16.67 %", "2 pages", "2 writers", "24 characters", "8 words"):
        assert figure in text


def test_the_headline_of_pages_by_one_writer_states_no_interval(draw, make_page):
    one = plain_text(draw([make_page("a", "w", "abc", "abd")])).split("Figures")[0]
    two = plain_text(draw([make_page(name, name, "abc", "abd") for name in "ab"])).split("Figures")[0]
    assert "95 %" not in one
    assert "95 %" in two


def test_the_gallery_shows_the_worst_page_first(draw, make_page):
    pages = [make_page(name, name, "abcd", read) for name, read in (("fine", "abcd"), ("bad", "x"), ("fair", "abcx"))]
    tree = Tree(draw(pages))
    shown = [attributes["alt"].split()[-1] for tag, attributes in tree.tags if tag == "img"]
    assert shown == ["bad", "fair", "fine"]


@pytest.mark.parametrize("gallery", [0, 1, 2])
def test_the_gallery_shows_as_many_pages_as_asked(draw, worked, gallery):
    assert [tag for tag, _ in Tree(draw(worked, gallery=gallery)).tags].count("img") == gallery


def test_transcriptions_and_labels_are_escaped(draw, make_page):
    attack = '<script>alert("1")</script>'
    document = draw([make_page('<b>"id', "<i>w", "a & b <u>", attack)])
    tags = {tag for tag, _ in Tree(document).tags}
    assert not {"script", "b", "i", "u"} & tags
    assert "&lt;" in document


def test_each_kind_of_edit_has_its_own_tag(draw, make_page):
    tree = Tree(draw([make_page("a", "w1", "paper, ink", "pxper inks"), make_page("b", "w2", "same", "same")]))
    titles = [(tag, attributes["title"]) for tag, attributes in tree.tags if "title" in attributes]
    assert titles == [("mark", "instead of a"), ("del", "not read"), ("ins", "not on the page")]


def test_the_marked_edits_are_those_behind_the_cer(make_page):
    page = make_page("a", "w", "to be\nor not\nto be", "to bee or\nnt to be")
    assert sum(span.edits for span in marked_spans(page)) == page.characters.edits == 2


def test_the_marked_transcription_keeps_its_line_breaks(make_page):
    page = make_page("a", "w", "to be\nor not", "to bee\nor not")
    assert "".join(span.hypothesis for span in marked_spans(page)) == page.prediction


def test_a_transcription_with_an_empty_line_is_marked_without_losing_edits(make_page):
    page = make_page("a", "w", "to be\nor not", "to be\n\nor nut")
    assert sum(span.edits for span in marked_spans(page)) == page.characters.edits == 1


def test_writers_are_sorted_by_cer_with_their_pages_summed(make_page, score_of):
    pages = [
        make_page("a", "w1", "abcd", "abcd"),
        make_page("b", "w1", "abcd", "abcx"),
        make_page("c", "w2", "abcd", ""),
    ]
    rows = writers_worst_first(score_of(pages))
    assert [(row.score.writer, row.score.pages, row.cer) for row in rows] == [("w2", 1, 1.0), ("w1", 2, 1 / 8)]


def test_confusions_are_counted_over_all_pages_and_sorted_by_count(make_page):
    pages = [
        make_page("a", "w", "none", "nane"),
        make_page("b", "w", "of ink", "af inks"),
        make_page("c", "w", "end", "nd"),
    ]
    assert count_confusions(pages) == [Confusion("o", "a", 2), Confusion("", "s", 1), Confusion("e", "", 1)]


def test_the_table_of_confusions_quotes_its_characters(make_page):
    found = count_confusions([make_page("a", "w", 'to "be', "to,be"), make_page("b", "w", "or not", "ornot")])
    lines = as_csv(found).splitlines()
    assert lines[0] == '"true","read","count"'
    assert '" ","",1' in lines
    rows = list(csv.reader(as_csv(found).splitlines()))[1:]
    assert [(true, read, int(count)) for true, read, count in rows] == [(c.true, c.read, c.count) for c in found]


def test_the_report_names_the_file_of_all_confusions_if_it_does_not_show_all(draw, make_page):
    reference, read = string.ascii_lowercase[: NUM_CONFUSIONS + 1], string.ascii_uppercase[: NUM_CONFUSIONS + 1]
    assert "confusions.csv" in Tree(draw([make_page("a", "w", reference, read)])).text
    assert "confusions.csv" not in Tree(draw([make_page("a", "w", "ink", "inc")])).text


def test_length_outliers_are_listed(draw, make_page):
    text = plain_text(draw([make_page("long", "w1", "to be", "to be to be to be"), make_page("b", "w2", "ink", "ink")]))
    assert "long loop 3.40" in text


def test_perturbed_pages_are_listed_with_the_increase_of_their_cer(draw, worked):
    rows = (
        PerturbedScore(name="untouched", strength=0.0, unit="", cer=0.1),
        PerturbedScore(name="rotated", strength=2.0, unit="degrees", cer=0.15),
    )
    found = Robustness(pages=2, perturbed=rows, cer={"untouched": 0.1, "rotated 2": 0.15}, blank_characters=0)
    assert "rotated 2 degrees 15.00 % 5.0 points" in plain_text(draw(worked, robustness=found))


def test_the_curves_of_the_training_are_drawn(draw, worked):
    charts_drawn = [attributes["aria-label"] for tag, attributes in Tree(draw(worked)).tags if tag == "svg"]
    assert charts_drawn == [
        "CTC loss, nats per character by optimiser steps",
        "validation CER, % by optimiser steps",
        "pages by CER of the page, %",
    ]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (None, "does not exist"),
        ("", "holds no finite figures"),
        ("step,train/loss\n1,2\n", "has no column"),
        ("step,train/loss,validation/loss,validation/cer\n1,x,2,3\n", "cannot be read"),
        ("step,train/loss,validation/loss,validation/cer\n1,nan,nan,nan\n", "holds no finite figures"),
    ],
)
def test_a_report_without_curves_states_the_reason(draw, worked, table, reason):
    document = draw(worked, table=table)
    assert reason in plain_text(document)
    assert "validation CER" not in document


def test_the_curves_of_a_run_that_diverged_are_drawn_up_to_there(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(CURVES + "30,nan,inf,0.9\n")
    drawn = curves.draw(path)
    assert drawn.problem == ""
    assert str(drawn.loss).count("<circle") == 4
