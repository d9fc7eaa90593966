"""The report: offline, honest about what it shows, and safe whatever a model reads."""

import csv
import re
import string
from html.parser import HTMLParser

import numpy as np
import pytest

from text_recognizer import charts
from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.evaluation import curves
from text_recognizer.evaluation.confusions import Confusion, as_csv, confusions
from text_recognizer.evaluation.details import details
from text_recognizer.evaluation.report import CONFUSIONS, by_writer, pieces, render
from text_recognizer.evaluation.score import summarise
from text_recognizer.inference import ModelInfo
from text_recognizer.inference.reading import OWN

CURVES = "step,train/loss,validation/loss,validation/cer\n10,2.5,2.6,0.9\n20,1.5,1.7,0.4\n"


class Tree(HTMLParser):
    """Every tag with its attributes, the plain text, and tags that are left open."""

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
        self.text += data


@pytest.fixture
def info():
    return ModelInfo(
        model_class="ParagraphReader",
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
def draw(info, section, tmp_path):
    def document(pages, gallery=10, table=CURVES):
        path = tmp_path / "curves.csv"
        if table is not None:
            path.write_text(table)
        canvases = np.random.default_rng(1).integers(0, 2, (len(pages), 32, 48), dtype=np.uint8) * 255
        packed = PackedSplit(canvases, tuple(Page(one.id, one.writer, one.reference, ()) for one in pages))
        extra = {"model": "1" * 64, "data": "2" * 64, "robustness": None}
        score = {**summarise(pages, section), **details(pages, section, OWN), **extra}
        return render(score, pages, packed, info, gallery, path)

    return document


def test_the_report_is_well_formed_and_asks_the_network_for_nothing(draw, worked):
    document = draw(worked)
    tree = Tree(document)
    assert tree.open == []
    assert "http" not in document
    assert "//" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", document)
    sources = [attributes[name] for _, attributes in tree.tags for name in ("src", "href") if name in attributes]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert not {"script", "iframe", "object"} & {tag for tag, _ in tree.tags}


def test_the_headline_gives_the_cer_its_interval_and_what_was_measured(draw, worked):
    text = " ".join(Tree(draw(worked)).text.split())
    assert "Of 100 characters, 12.5 have to be corrected." in text
    assert "With 95 % confidence, the CER for hands like these lies between 8.33 % and 16.67 %." in text
    assert "Measured on 2 pages by 2 writers: 24 characters, 8 words." in text


def test_an_interval_over_one_writer_is_not_given_in_words(draw, make_page):
    text = Tree(draw([make_page("a", "w", "abc", "abd")])).text
    assert "All pages are by one writer" in text
    assert "confidence, the CER" not in text


def test_the_gallery_shows_the_worst_page_first(draw, make_page):
    pages = [make_page(name, name, "abcd", read) for name, read in (("fine", "abcd"), ("bad", "x"), ("fair", "abcx"))]
    tree = Tree(draw(pages))
    shown = [attributes["alt"].split()[-1] for tag, attributes in tree.tags if tag == "img"]
    assert shown == ["bad", "fair", "fine"]


def test_the_gallery_is_no_longer_than_asked(draw, worked):
    assert [tag for tag, _ in Tree(draw(worked, gallery=1)).tags].count("img") == 1
    assert "evaluate.gallery is 0" in draw(worked, gallery=0)


def test_what_a_model_reads_is_text_and_never_markup(draw, make_page):
    attack = '<script>alert("1")</script>'
    document = draw([make_page('<b>"id', "<i>w", "a & b <u>", attack)])
    tags = {tag for tag, _ in Tree(document).tags}
    assert not {"script", "b", "i", "u"} & tags
    assert "&lt;" in document


def test_each_kind_of_edit_has_its_own_mark(draw, make_page):
    tree = Tree(draw([make_page("a", "w1", "paper, ink", "pxper inks"), make_page("b", "w2", "same", "same")]))
    titles = [(tag, attributes["title"]) for tag, attributes in tree.tags if "title" in attributes]
    assert titles == [("mark", "instead of a"), ("del", "not read"), ("ins", "not on the page")]


def test_the_marked_edits_are_those_that_the_cer_counts(make_page):
    page = make_page("a", "w", "to be\nor not\nto be", "to bee or\nnt to be")
    assert sum(piece.edits for piece in pieces(page)) == page.characters.edits == 2


def test_the_marked_reading_keeps_its_line_breaks(make_page):
    page = make_page("a", "w", "to be\nor not", "to bee\nor not")
    assert "".join(piece.hypothesis for piece in pieces(page)) == page.prediction


def test_a_reading_with_an_empty_line_is_marked_without_losing_edits(make_page):
    page = make_page("a", "w", "to be\nor not", "to be\n\nor nut")
    assert sum(piece.edits for piece in pieces(page)) == page.characters.edits == 1


def test_writers_come_worst_first_with_their_pages_summed(make_page):
    pages = [
        make_page("a", "w1", "abcd", "abcd"),
        make_page("b", "w1", "abcd", "abcx"),
        make_page("c", "w2", "abcd", ""),
    ]
    assert [(one.name, one.pages, one.cer) for one in by_writer(pages)] == [("w2", 1, 1.0), ("w1", 2, 1 / 8)]


def test_confusions_are_counted_over_all_pages_most_frequent_first(make_page):
    pages = [
        make_page("a", "w", "none", "nane"),
        make_page("b", "w", "of ink", "af inks"),
        make_page("c", "w", "end", "nd"),
    ]
    assert confusions(pages) == [Confusion("o", "a", 2), Confusion("", "s", 1), Confusion("e", "", 1)]


def test_the_table_tells_a_space_from_nothing_and_survives_quotes(make_page):
    found = confusions([make_page("a", "w", 'to "be', "to,be"), make_page("b", "w", "or not", "ornot")])
    lines = as_csv(found).splitlines()
    assert lines[0] == '"true","read","count"'
    assert '" ","",1' in lines
    rows = list(csv.reader(as_csv(found).splitlines()))[1:]
    assert [(true, read, int(count)) for true, read, count in rows] == [(c.true, c.read, c.count) for c in found]


def test_the_report_shows_the_most_frequent_mistakes_and_says_where_all_of_them_are(draw, make_page):
    truth, read = string.ascii_lowercase[: CONFUSIONS + 1], string.ascii_uppercase[: CONFUSIONS + 1]
    text = Tree(draw([make_page("a", "w", truth, read)])).text
    assert f"All {CONFUSIONS + 1} kinds of mistakes are in confusions.csv" in text
    assert "confusions.csv" not in Tree(draw([make_page("a", "w", "ink", "inc")])).text


def test_curves_that_are_there_are_drawn(draw, worked):
    charts_drawn = [attributes["aria-label"] for tag, attributes in Tree(draw(worked)).tags if tag == "svg"]
    assert charts_drawn == [
        "CTC loss, nats a character by optimiser steps",
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
def test_curves_that_cannot_be_drawn_leave_a_report_that_says_why(draw, worked, table, reason):
    text = Tree(draw(worked, table=table)).text
    assert "There are no curves to show" in text
    assert reason in text


def test_a_run_that_diverged_shows_how_far_it_came(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(CURVES + "30,nan,inf,0.9\n")
    drawn = curves.draw(path)
    assert drawn.problem == ""
    assert str(drawn.loss).count("<circle") == 4


def test_the_histogram_counts_every_page_once():
    values = [0.0, 0.0, 4.9, 5.0, 37.5, 100.0]
    drawn = str(charts.histogram(values, "CER, %", "pages"))
    counts = [int(count) for count in re.findall(r"<title>[^<]*: (\d+)</title>", drawn)]
    assert sum(counts) == len(values)
    assert counts[:2] == [3, 1]


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [0.1], [1234.5], [100.0]])
def test_the_histogram_has_at_most_21_bars_whatever_the_values(values):
    drawn = str(charts.histogram(values, "CER, %", "pages"))
    assert 1 <= drawn.count("<rect") <= charts.BINS + 1
    assert "nan" not in drawn


@pytest.mark.parametrize(("step", "rounded"), [(0.7, 1), (1, 1), (1.2, 2), (3, 5), (6, 10), (0.03, 0.05), (120, 200)])
def test_steps_of_an_axis_are_round(step, rounded):
    assert charts.round_step(step) == pytest.approx(rounded)
