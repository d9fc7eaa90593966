"""A client gets its answer in the format that it asks for, as `text-recognizer read --format` writes it."""

import io
import re

import pypdfium2
import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.exporting import PictureSource, write_page
from text_recognizer.pages.opening import open_pages
from text_recognizer.serving.formats import MEDIA_TYPES, choose_format
from text_recognizer.serving.problems import RequestError


@pytest.fixture(scope="module")
def client(application):
    return TestClient(application(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def post(client):
    """Send pictures to /read with a query and a header Accept."""

    def send(*pictures, query="", accept="*/*"):
        files = [("picture", (f"{number}.png", data)) for number, data in enumerate(pictures)]
        return client.post(f"/read{query}", files=files, headers={"Accept": accept})

    return send


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("application/json", "json"),
        ("text/plain", "text"),
        ("text/*", "text"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
        ("text/plain;q=0.2, text/markdown;q=0.8", "markdown"),
        ("application/pdf, */*;q=0.1", "pdf"),
        ("Application/ALTO+xml", "alto"),
        ("application/json;q=0, application/*", "page"),
    ],
)
def test_the_format_that_a_client_wants_most_is_chosen(accept, kind):
    assert choose_format(None, accept) == kind


def test_the_query_outweighs_the_header():
    assert choose_format("hocr", "application/pdf") == "hocr"


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/json;q=0", "application/json;q=x"])
def test_if_the_header_admits_no_format_the_request_is_refused(accept):
    with pytest.raises(RequestError) as caught:
        choose_format(None, accept)
    assert caught.value.status_code == 406


@pytest.mark.parametrize("kind", ["text", "page", "alto", "hocr", "markdown"])
def test_an_answer_is_what_the_command_line_writes(post, recognizer, handwriting, kind):
    answer = post(handwriting.read_bytes(), query=f"?format={kind}")
    rgb = next(open_pages(handwriting)).rgb
    source = PictureSource("0.png", rgb, model=recognizer.digest, runtime=recognizer.runtime)
    expected = write_page(recognizer.read(rgb).to_record(), source, kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPES[kind])
    # A document says when it was written, to the second.
    assert expected
    assert re.sub(rb"T[0-9:]{8}", b"", answer.content) == re.sub(rb"T[0-9:]{8}", b"", expected)


@pytest.mark.slow
def test_the_pages_of_a_file_become_one_searchable_pdf(post, recognizer, handwriting):
    page = Image.open(handwriting)
    stream = io.BytesIO()
    page.save(stream, "TIFF", save_all=True, append_images=[page])
    answer = post(stream.getvalue(), accept="application/pdf")
    with pypdfium2.PdfDocument(answer.content) as document:
        texts = [sheet.get_textpage().get_text_range() for sheet in document]
    words = recognizer.read(handwriting).text.split()
    assert words
    assert [text.split() for text in texts] == [words, words]


@pytest.mark.slow
def test_pages_of_text_are_separated_by_a_form_feed(post, handwriting, recognizer):
    answer = post(handwriting.read_bytes(), handwriting.read_bytes(), query="?format=text")
    assert answer.text.split("\f") == [f"{recognizer.read(handwriting).text}\n"] * 2


@pytest.mark.parametrize("kind", ["page", "alto", "hocr"])
def test_a_format_of_one_page_is_refused_for_several(post, kind):
    blank = io.BytesIO()
    Image.new("L", (90, 50), 255).save(blank, "TIFF", save_all=True, append_images=[Image.new("L", (90, 50), 255)])
    assert post(blank.getvalue(), query=f"?format={kind}").status_code == 422
    assert post(blank.getvalue(), query=f"?format={kind}&pages=2").status_code == 200


def test_a_format_that_cannot_hold_a_problem_is_refused_with_the_name_of_the_file(post, handwriting):
    answer = post(handwriting.read_bytes(), b"no picture", query="?format=text")
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    assert "1.png" in answer.json()["detail"]


def test_an_unknown_format_is_refused(post, handwriting):
    answer = post(handwriting.read_bytes(), query="?format=docx")
    assert (answer.status_code, "?format=" in answer.json()["detail"]) == (422, True)
