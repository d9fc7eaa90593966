"""With `Accept: text/event-stream`, /read answers line by line and page by page."""

import json

import pytest
from starlette.testclient import TestClient

from text_recognizer.core.schemas import Line, ReadPage, UnreadPage

EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def client(application):
    return TestClient(application())


def events(answer):
    """Return the events of a stream, each a name and its data."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.split("\n\n"):
        if block:
            name, data = block.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def send(client, *files, **options):
    parts = [("picture", (f"{at}.png", data)) for at, data in enumerate(files)]
    return client.post("/read", files=parts, headers=EVENTS, **options)


@pytest.mark.slow
def test_the_lines_come_before_their_page_and_the_end_comes_last(client, handwriting, writing):
    picture = handwriting.read_bytes()
    found = events(send(client, picture, b"no picture", writing.read_bytes()))
    assert [name for name, _ in found] == ["line", "line", "page", "problem", "page", "end"]
    direct = client.post("/read", files={"picture": picture}).json()
    page = ReadPage.model_validate(found[2][1])
    assert page.text == direct["text"]
    for (_, data), line in zip(found[:2], page.lines, strict=True):
        assert data.pop("picture") == 0
        assert Line.model_validate(data) == line
    unread = UnreadPage.model_validate(found[3][1])
    assert (unread.name, unread.problem.status) == ("1.png", 415)
    assert found[-1][1] == {"pages": 3}


def test_if_no_picture_can_be_read_the_stream_says_why(client):
    ((name, problem),) = events(send(client, b"no picture"))
    assert (name, problem["status"]) == ("problem", 415)


def test_an_overdue_stream_says_so(application, handwriting):
    ((name, problem),) = events(send(TestClient(application(seconds=0.0)), handwriting.read_bytes()))
    assert (name, problem["status"]) == ("problem", 503)


def test_a_format_in_the_query_counts_more_than_the_header(client, writing):
    answer = send(client, writing.read_bytes(), params={"format": "json"})
    assert answer.headers["content-type"] == "application/json"


def test_printed_lines_are_read_on_request(client, writing):
    files = {"picture": writing.read_bytes()}
    without, with_print = (
        client.post("/read", files=files, params={"printed": value}).json() for value in (False, True)
    )
    assert without["lines"] == []
    assert {line["kind"] for line in with_print["lines"]} == {"printed"}
