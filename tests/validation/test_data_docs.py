"""The Data Docs work offline, name the failing rows, and are replaced completely or not at all."""

import multiprocessing
import os
import re
import signal
from html.parser import HTMLParser

import pytest
from tests.sources import page_source

from text_recognizer.validation import data_docs, validate

pytestmark = pytest.mark.slow

REQUESTING = {"src", "srcset", "href", "action", "data", "poster", "background", "ping", "formaction", "xlink:href"}


MARKUP = "&lt;script&gt;alert(1)&lt;/script&gt;"


class Attributes(HTMLParser):
    """The tags of a page, and the attributes that can make a browser request or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.handlers: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name in REQUESTING:
                self.targets.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.anchors.add(value)


@pytest.fixture(scope="module")
def faulty_site(new_corpus, small_form, params, tmp_path_factory):
    """The site of an archive with faults in forms, a line, a writer and a split, and with markup in its labels."""
    corpus, folder = new_corpus(), tmp_path_factory.mktemp("faulty")
    corpus.files["xml/a01-001.xml"] = b"<form"
    corpus.relabel("c01-000", 'x="100"', 'x="201"')
    corpus.relabel("b01-000", '"002"', '"003"')
    corpus.assign("testset", ["c01-000"])
    for number in range(30):
        corpus.put(small_form(f"e01-{number:03}", "001"))
        corpus.files[f"xml/e01-{number:03}.xml"] = b"<form"
    corpus.put(small_form("f01-000", "001"))
    corpus.relabel("f01-000", 'form id="f01-000', f'form id="{MARKUP}')
    corpus.put(small_form("f01-001", "001"))
    corpus.relabel("f01-001", 'id="f01-001-00" text="The', f'id="{MARKUP}" text="\u20ac')
    validate([page_source(corpus.save(folder / "iamdb.zip"))], params, folder / "data_docs")
    return folder / "data_docs"


@pytest.fixture(scope="module")
def pages(faulty_site):
    """The HTML of each page by its name."""
    return {path.name: path.read_text(encoding="utf-8") for path in faulty_site.glob("*.html")}


def test_no_page_requests_anything_outside_the_site(faulty_site, pages):
    assert len(pages) == 11
    for name, page in pages.items():
        found = Attributes(page)
        assert not found.tags & {"script", "iframe", "object", "embed", "base"}, name
        assert not found.handlers, name
        for target in found.targets:
            file = target.split("#")[0]
            assert not file or (faulty_site / file).is_file(), f"{name} -> {target}"


def test_no_file_of_the_site_contains_an_address_or_an_import(faulty_site, pages):
    files = [path for path in faulty_site.iterdir() if path.is_file()]
    assert len(files) == len(pages) + 1
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|url\(|@import|http-equiv|[\"'(]//", text), path.name


def test_links_within_a_page_have_a_target(pages):
    for name, page in pages.items():
        found = Attributes(page)
        anchors = {target[1:] for target in found.targets if target.startswith("#")}
        assert anchors <= found.anchors, name


def test_the_pages_name_the_failing_rows(pages):
    assert all(f"<code>{row}</code>" in pages["index.html"] for row in ("a01-001", "c01-000-00", "003", "test"))
    assert "a01-001" in pages["forms.html"]
    assert "c01-000-00" in pages["lines.html"]


def test_the_first_page_lists_every_failing_row_however_many_there_are(pages):
    assert all(f"<code>e01-{number:03}</code>" in pages["index.html"] for number in range(30))


def test_markup_in_the_labels_is_shown_as_text(pages):
    for name, page in pages.items():
        assert "script" not in Attributes(page).tags, name
    assert MARKUP in pages["index.html"]


class Interrupted(dict):
    """Results whose second item never comes: `stop` is called instead."""

    def __init__(self, results, stop) -> None:
        super().__init__(results)
        self.stop = stop

    def items(self):
        yield next(iter(super().items()))
        self.stop()


@pytest.fixture
def write(good, site):
    """Write the site completely, or call `stop` in the middle of it."""

    def write(stop=None):
        results = Interrupted(good.results, stop) if stop else good.results
        data_docs.write(site, good.outcome.summary, good.rules, results)

    return write


def drafts(site):
    return [path.name for path in site.parent.iterdir() if path.name.endswith(".part")]


def test_an_interrupted_build_keeps_the_previous_site_and_leaves_no_draft(write, site):
    site.mkdir()
    (site / "index.html").write_text("old", encoding="utf-8")

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(stop)

    assert [path.name for path in site.iterdir()] == ["index.html"]
    assert drafts(site) == []


def test_a_killed_build_leaves_no_incomplete_site_and_the_next_one_cleans_up(write, site):
    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=write, args=(kill,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not site.exists()

    write()

    assert (site / "index.html").is_file()
    assert drafts(site) == []
