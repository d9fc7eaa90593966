"""The site of the documents: complete, with links that lead somewhere, and loading nothing from elsewhere."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html

from text_recognizer.cli.entry_point import build_parser
from text_recognizer.core.params import Params
from text_recognizer.serving.app import create_app
from text_recognizer.serving.problems import KINDS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

# What a browser loads by itself when it shows a page. A link that a person follows may lead anywhere.
LOADED = (
    "//script/@src",
    "//link/@href",
    "//img/@src",
    "//img/@srcset",
    "//source/@src",
    "//iframe/@src",
    "//object/@data",
)
# What the theme's script names on other hosts: for diagrams, of which no page has one, and for browsers of before 2020.
NEVER_LOADED = {"mermaid.min.js", "resize-observer-polyfill"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built as `make docs` builds it: any link that leads nowhere is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@cache
def parsed(page):
    return html.fromstring(page.read_bytes())


def pages(site):
    found = [page for page in site.rglob("*.html") if page.name != "404.html"]
    assert len(found) > 40
    return found


def text_of(page):
    return " ".join(parsed(page).xpath("//article")[0].text_content().split())


def test_no_page_loads_anything_from_another_host(site):
    loaded = [(page.name, address) for page in pages(site) for path in LOADED for address in parsed(page).xpath(path)]
    assert len(loaded) > 100
    assert [(name, address) for name, address in loaded if urlsplit(address).scheme or urlsplit(address).netloc] == []


def test_no_style_and_no_script_loads_anything_from_another_host(site):
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    loaded = [
        address
        for style in styles
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", style)
    ]
    assert [address for pair in loaded for address in pair if re.match(r"(?:https?:)?//", address)] == []
    scripts = [path.read_text(encoding="utf-8") for path in site.rglob("assets/**/*.js")]
    assert scripts
    named = {
        address.rpartition("/")[2]
        for script in scripts
        for address in re.findall(r"[\"'`](https?://[^\"'`]+(?:\.js|polyfill))[\"'`]", script)
    }
    assert named == NEVER_LOADED
    assert [page.name for page in pages(site) if parsed(page).find_class("mermaid")] == []


def test_every_link_within_the_site_leads_to_a_page_and_a_place_in_it(site):
    missing, count = [], 0
    for page in pages(site):
        for address in {*parsed(page).xpath("//a/@href"), *parsed(page).xpath("//img/@src")}:
            parts = urlsplit(address)
            if parts.scheme or address in ("", "."):
                continue
            count += 1
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchor = unquote(parts.fragment)
            ids = parsed(target).xpath("//@id") if anchor and target.suffix == ".html" and target.exists() else [anchor]
            if not target.is_file() or anchor not in ids:
                missing.append((str(page.relative_to(site)), address))
    assert count > 1000
    assert missing == []


def test_no_piece_of_markdown_is_left_as_it_was_written(site):
    left = []
    for page in pages(site):
        for paragraph in parsed(page).xpath("//article//p"):
            text = "".join(paragraph.xpath(".//text()[not(ancestor::code)]"))
            if re.search(r"^\s*\||\n- |\]\(|<!--|^:::", text):
                left.append((page.name, text[:60]))
    assert left == []


def test_links_are_called_as_the_pages_that_they_lead_to(site):
    links = [link for page in pages(site) for link in parsed(page).xpath("//article//a")]
    assert [link.get("href") for link in links if re.fullmatch(r"[\w/-]+\.md", link.text_content())] == []


def test_the_commands_are_listed_with_every_option(site):
    page = parsed(site / "commands.html")
    (commands,) = (action.choices for action in build_parser()._actions if action.dest == "command")
    assert len(commands) > 20
    options = {name for parser in commands.values() for name in re.findall(r"--[a-z][a-z-]+", parser.format_help())}
    assert len(options) > 40
    assert set(commands) <= {head.get("id") for head in page.xpath("//article//h3")}
    assert options - {"--help"} <= {code.text for code in page.xpath("//article//td[1]/code")}


def test_the_parameters_are_listed_with_their_meanings(site):
    text = text_of(site / "reference/params.html")
    fields = [rule for field in Params.model_fields.values() for rule in field.annotation.model_fields.items()]
    assert len(fields) > 60
    assert [
        key
        for key, rule in fields
        if key not in text or " ".join(rule.description.replace("`", "").split()) not in text.replace("`", "")
    ] == []


def test_the_requests_and_the_records_of_the_service_are_listed(site):
    api = create_app().openapi()
    page = parsed(site / "reference/http.html")
    heads = {head.text_content().rstrip("¶") for head in page.xpath("//article//h3")}
    requests = {f"{method.upper()} {path}" for path, methods in api["paths"].items() for method in methods}
    assert len(requests) > 8
    assert heads == requests | set(api["components"]["schemas"])


def test_the_public_classes_of_python_are_listed_with_their_docstrings(site):
    page = parsed(site / "reference/python.html")
    ids = set(page.xpath("//article//@id"))
    assert {
        "text_recognizer.inference.Recognizer",
        "text_recognizer.exporting.write_page",
        "text_recognizer.models.ResnetTransformer",
        "text_recognizer.core.schemas.Page",
    } <= ids
    assert "Load a model folder, by default the pretrained reader" in text_of(site / "reference/python.html")


def test_every_code_of_an_error_is_listed_and_has_its_section_of_troubleshooting(site):
    sources = [path.read_text(encoding="utf-8") for name in ("src", "flows") for path in (ROOT / name).rglob("*.py")]
    codes = {code for text in sources for code in re.findall(r'^    code(?:: .*)? = "([a-z-]+)"$', text, re.MULTILINE)}
    assert len(codes) > 10
    help_page = parsed(site / "troubleshooting.html")
    assert {head.get("id") for head in help_page.xpath("//article//h3")} == codes
    commands, requests = parsed(site / "reference/error-codes.html").xpath("//article//table")
    assert {cell.text_content() for cell in commands.xpath(".//td[1]")} == codes
    helped = text_of(site / "troubleshooting.html")
    types = {code for code, _, fix in KINDS.values() if fix}
    assert {cell.text_content().rpartition(":")[2] for cell in requests.xpath(".//td[2]")} == types
    assert [code for code in types if code not in helped] == []


def test_the_search_works_in_a_page_that_is_opened_as_a_file(site, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=10000",
    ]
    address = f"{(site / 'index.html').as_uri()}?q=charset"
    command = [browser, *options, "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", address]
    shown = html.fromstring(subprocess.run(command, capture_output=True, timeout=180, check=True).stdout)
    assert any("glossary.html" in target for target in shown.xpath("//li[@class='md-search-result__item']//a/@href"))
