"""How a client may send files: the parts of a form, the body itself, base64 in JSON; and what is refused."""

import base64

import pytest
from starlette.testclient import TestClient

from text_recognizer.serving.sent_files import MAX_PICTURES


@pytest.fixture(scope="module")
def client(application):
    return TestClient(application(), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"files": {"note": (None, "words")}}, 422),
        ({}, 422),
        ({"json": {}}, 422),
        ({"json": {"pictures": []}}, 422),
        ({"json": {"pictures": [{"data": "no base64"}]}}, 422),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 422),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
    ],
    ids=["a field", "no body", "empty json", "no pictures", "no base64", "broken json", "a broken form"],
)
def test_a_request_without_a_picture_is_refused_with_how_to_send_one(client, request_, status):
    answer = client.post("/read", **request_)
    assert (answer.status_code, "named 'picture'" in answer.json()["fix"]) == (status, True)


@pytest.mark.parametrize("path", ["/read", "/jobs"])
def test_a_body_that_is_no_picture_is_refused(client, path):
    assert client.post(path, data={"picture": "words"}).status_code == 415
    assert client.post(path, files={"other": b"x"}).status_code == 415


def test_a_picture_may_be_any_part_the_body_itself_or_base64_in_json(client, handwriting):
    sent = handwriting.read_bytes()
    encoded = {"name": "page.png", "data": base64.b64encode(sent).decode()}
    answers = [
        client.post("/read", files={"picture": ("page.png", sent)}),
        client.post("/read", files={"scan": ("page.png", sent)}),
        client.post("/read", content=sent, headers={"content-type": "image/png"}),
        client.post("/read", content=sent, headers={"content-type": "application/x-www-form-urlencoded"}),
        client.post("/read", json={"pictures": [encoded]}),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["text"] for answer in answers} == {answers[0].json()["text"]} != {""}


def test_more_files_than_a_request_may_have_are_refused(client, writing):
    files = [("picture", (f"{number}.png", writing.read_bytes())) for number in range(MAX_PICTURES + 1)]
    assert client.post("/read", files=files).status_code == 422
