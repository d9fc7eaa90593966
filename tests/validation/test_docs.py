"""The Data Docs open without a network, name the failing rows, and are replaced as a whole or not at all."""

import multiprocessing
import os
import re
import signal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from text_recognizer.validation import docs

REQUESTING = {"src", "srcset", "href", "action", "data", "poster", "background", "ping", "formaction", "xlink:href"}


class Attributes(HTMLParser):
    """Collects the tags and every attribute of a page that may make a browser ask for something."""

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


@pytest.fixture
def faulty_site(corpus, check, site):
    """The site of an archive with a fault on a form, on a line, on a writer and on a split."""
    corpus.files["xml/a01-001.xml"] = b"<form"
    corpus.files["xml/c01-000.xml"] = corpus.files["xml/c01-000.xml"].replace(b'x="100"', b'x="201"', 1)
    corpus.files["xml/b01-000.xml"] = corpus.files["xml/b01-000.xml"].replace(b'"002"', b'"003"')
    corpus.assign("testset", ["c01-000"])
    check(corpus)
    return site


def test_no_page_asks_for_anything_outside_the_site(faulty_site):
    pages = list(faulty_site.glob("*.html"))
    assert len(pages) == 11
    for page in pages:
        found = Attributes(page.read_text(encoding="utf-8"))
        assert not found.tags & {"script", "iframe", "object", "embed", "base"}, page.name
        assert not found.handlers, page.name
        for target in found.targets:
            name = target.split("#")[0]
            assert not name or (faulty_site / name).is_file(), f"{page.name} -> {target}"


def test_no_file_of_the_site_holds_an_address_or_an_import(faulty_site):
    for path in filter(Path.is_file, faulty_site.iterdir()):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|url\(|@import|http-equiv|[\"'(]//", text), path.name


def test_links_within_a_page_have_a_place_to_go(faulty_site):
    for page in faulty_site.glob("*.html"):
        found = Attributes(page.read_text(encoding="utf-8"))
        anchors = {target[1:] for target in found.targets if target.startswith("#")}
        assert anchors <= found.anchors, page.name


def test_the_pages_name_the_failing_rows(faulty_site):
    index = (faulty_site / "index.html").read_text(encoding="utf-8")
    assert all(f"<code>{row}</code>" in index for row in ("a01-001", "c01-000-00", "003", "test"))
    assert "a01-001" in (faulty_site / "forms.html").read_text(encoding="utf-8")
    assert "c01-000-00" in (faulty_site / "lines.html").read_text(encoding="utf-8")


def test_every_failing_row_stands_on_the_first_page_however_many_there_are(corpus, check, site, small_form):
    for number in range(30):
        corpus.put(small_form(f"e01-{number:03}", "001"))
        corpus.files[f"xml/e01-{number:03}.xml"] = b"<form"

    check(corpus)

    index = (site / "index.html").read_text(encoding="utf-8")
    assert all(f"<code>e01-{number:03}</code>" in index for number in range(30))


def test_markup_in_the_labels_is_shown_and_not_run(corpus, check, site):
    name = b"&lt;script&gt;alert(1)&lt;/script&gt;"
    corpus.files["xml/a01-001.xml"] = corpus.files["xml/a01-001.xml"].replace(b'id="a01-001', b'id="' + name, 1)
    corpus.files["xml/a01-002.xml"] = corpus.files["xml/a01-002.xml"].replace(
        b'id="a01-002-00" text="The', b'id="' + name + b'" text="\xe2\x82\xac', 1
    )

    check(corpus)

    for page in site.glob("*.html"):
        assert "script" not in Attributes(page.read_text(encoding="utf-8")).tags, page.name
    assert "&lt;script&gt;" in (site / "index.html").read_text(encoding="utf-8")


class Interrupted(dict):
    """Results of which the second never comes: `stop` is called in its place."""

    def __init__(self, results, stop) -> None:
        super().__init__(results)
        self.stop = stop

    def items(self):
        yield next(iter(super().items()))
        self.stop()


@pytest.fixture
def write(corpus, params, tmp_path, site):
    """Writes the site of the good corpus with the given `stop` in the middle, or without one as a whole."""
    from text_recognizer.validation import run, suites, tables

    found, rules = tables.build(corpus.save(tmp_path / "iamdb.zip"), params), suites.rules(params)
    rules = tuple(rule for rule in rules if rule.suite != "feedback")
    results = run.check({rule.suite: getattr(found, rule.suite) for rule in rules}, rules)
    outcome = run.Outcome(run._summary("0" * 64, params, found, run._rows(found, rules, results)), {})

    def write(stop=None):
        docs.write(site, outcome, rules, Interrupted(results, stop) if stop else results)

    return write


def test_an_interrupted_build_leaves_the_old_site_and_no_draft(write, site):
    site.mkdir()
    (site / "index.html").write_text("old", encoding="utf-8")

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(stop)

    assert [path.name for path in site.iterdir()] == ["index.html"]
    assert [path.name for path in site.parent.iterdir() if path.name.endswith(".part")] == []


def test_a_killed_build_leaves_no_half_a_site_and_the_next_one_clears_up(write, site):
    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=write, args=(kill,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not site.exists()

    write()

    assert (site / "index.html").is_file()
    assert [path.name for path in site.parent.iterdir() if path.name.endswith(".part")] == []
