"""Several sources are checked by the same suites, in the same Data Docs."""

import zipfile

import pytest
from tests.sources import data_of, entry_of

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.left_out import LIST_FILE, LeftOutLine, list_as_bytes
from text_recognizer.corpora.page_sources import PageSource
from text_recognizer.validation import tables, validate

LEFT_OUT = [
    LeftOutLine("p 1", "train", "a <line>", "no strip of the page reads like the line", "left_out/1.jpg"),
    LeftOutLine("p 2", "test", None, "p 2.png cannot be read"),
]


@pytest.fixture
def sources(new_corpus, small_form, tmp_path):
    """An archive of forms, and one of found lines on other forms. `change` changes the latter."""

    def make(change=None):
        iam, found = new_corpus(), new_corpus()
        for name in list(found.files):
            if not name.startswith("aachen"):
                del found.files[name]
        for number in range(4):
            found.put(small_form(f"mine-p{number}", f"mine: {number}"))
        found.files |= {
            "aachen/train.txt": b"mine-p0\nmine-p1",
            "aachen/validation.txt": b"mine-p2",
            "aachen/test.txt": b"mine-p3",
        }
        if change:
            change(found)
        path = found.save(tmp_path / "mine.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(LIST_FILE, list_as_bytes(LEFT_OUT))
            archive.writestr(LEFT_OUT[0].picture, b"\xff\xd8 a picture")
        entries = entry_of("iamdb.zip", name="iam"), entry_of("pages", "lists", format="text", name="mine")
        paths = iam.save(tmp_path / "iam.zip"), path
        return tuple(map(PageSource, entries, paths))

    return make


@pytest.fixture
def with_sources(params):
    return lambda sources: params.model_copy(update={"data": data_of(*(source.entry for source in sources))})


@pytest.mark.slow
def test_their_forms_are_counted_together_and_by_source(sources, with_sources, site):
    both = sources()
    outcome = validate(both, with_sources(both), site)
    assert outcome.passed, outcome.table()
    assert outcome.summary.counts.forms == 11
    assert {name: split.forms for name, split in outcome.summary.splits.items()} == {
        "train": 5, "validation": 3, "test": 3,
    }  # fmt: skip
    assert [(one.name, one.forms, one.lines, one.left_out) for one in outcome.summary.sources] == [
        ("iam", 7, 14, {}),
        ("mine", 4, 8, {LEFT_OUT[0].reason: 1}),
    ]


@pytest.mark.slow
def test_lines_that_were_left_out_are_shown_with_their_page(sources, with_sources, site):
    both = sources()
    validate(both, with_sources(both), site)
    page = (site / "left_out.html").read_text()
    assert "a &lt;line&gt;" in page
    assert "p 2.png cannot be read" in page
    assert 'src="pictures/mine-1.jpg"' in page
    assert (site / "pictures/mine-1.jpg").read_bytes() == b"\xff\xd8 a picture"
    assert 'href="left_out.html"' in (site / "index.html").read_text()


def test_a_form_of_two_sources_is_counted_twice(sources, with_sources):
    def same(corpus):
        corpus.files["aachen/train.txt"] = b"mine-p0"
        corpus.files = {name.replace("mine-p1", "a01-000"): content for name, content in corpus.files.items()}
        corpus.files["xml/a01-000.xml"] = corpus.files["xml/a01-000.xml"].replace(b"mine-p1", b"a01-000")

    both = sources(same)
    forms = tables.build(both, with_sources(both)).forms
    assert sorted(forms[forms["copies"] > 1]["id"]) == ["a01-000", "a01-000"]


def test_the_rows_of_found_lines_are_not_compared_with_their_pictures(sources, with_sources):
    both = sources()
    forms = tables.build(both, with_sources(both)).forms.set_index("id")
    assert forms["extra_rows"].loc[["mine-p0", "mine-p3"]].isna().all()
    assert forms["extra_rows"].loc["a01-000"] == 0


def test_an_excluded_form_may_be_of_any_source_and_an_unknown_one_is_named(sources, with_sources):
    both = sources()
    params = with_sources(both)
    for exclude in (("mine-p0",), ("a01-000",)):
        found = tables.build(
            both, params.model_copy(update={"data": params.data.model_copy(update={"exclude": exclude})})
        )
        assert found.excluded == exclude
    with pytest.raises(DataError, match="p9"):
        tables.build(both, params.model_copy(update={"data": params.data.model_copy(update={"exclude": ("mine-p9",)})}))
