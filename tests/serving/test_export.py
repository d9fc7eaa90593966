"""A page that was read and then changed is written in any format, with the lines that were sent."""

import json

import pytest
from starlette.testclient import TestClient

from text_recognizer.core.output_formats import FORMATS
from text_recognizer.serving.formats import MEDIA_TYPES

TEXT = "Put right by a person"


@pytest.fixture(scope="module")
def client(application):
    return TestClient(application())


@pytest.fixture(scope="module")
def page(client, handwriting):
    """A page whose first line was corrected."""
    read = client.post("/read", files={"picture": ("page.png", handwriting.read_bytes())}).json()
    first, second = read["lines"]
    lines = [{**first, "text": TEXT, "words": []}, second]
    return {**read, "lines": lines, "text": f"{TEXT}\n{second['text']}"}


def export(client, page, kind, **parts):
    return client.post(f"/export?format={kind}", data={"page": json.dumps(page)}, **parts)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "pdf"])
def test_the_changed_text_is_in_each_format(client, page, kind):
    answer = export(client, page, kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPES[kind])
    if kind == "alto":
        assert [f'CONTENT="{word}"' in answer.text for word in TEXT.split()] == [True] * 5
    elif kind == "hocr":
        assert [f">{word}</span>" in answer.text for word in TEXT.split()] == [True] * 5
    else:
        assert TEXT in answer.text


def test_a_pdf_is_written_of_the_picture(client, page, handwriting):
    import pypdfium2

    answer = export(client, page, "pdf", files={"picture": handwriting.read_bytes()})
    text = pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_range()
    assert TEXT in " ".join(text.split())


def test_a_pdf_without_the_picture_is_refused(client, page):
    assert export(client, page, "pdf").status_code == 422


@pytest.mark.parametrize(
    "change", [{"lines": "none"}, {"width": -1}, {"other": 1}, {"model": None}, {"lines": [{"text": 1}]}]
)
def test_a_page_that_is_not_valid_is_refused_with_the_reason(client, page, change):
    answer = export(client, {**page, **change}, "text")
    assert answer.status_code == 422
    assert next(iter(change)) in answer.json()["detail"]


def test_an_unknown_format_is_refused(client, page):
    assert export(client, page, "docx").status_code == 422
