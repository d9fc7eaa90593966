"""What people correct is kept whole, under a name that the answer gives, or refused with the reason and not kept."""

import io
import json
import threading
import urllib.request

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.data import feedback
from text_recognizer.errors import ConfigError
from text_recognizer.images import open_picture
from text_recognizer.inference import Recognizer
from text_recognizer.serving import corrections
from text_recognizer.serving.app import Served, create_app
from text_recognizer.serving.corrections import VARIABLE, folder_of
from text_recognizer.serving.verdict import Verdict

LINES = [
    {"text": "Rain fell all day", "box": [28, 26, 400, 50]},
    {"text": "and the mill stood still", "box": [28, 106, 520, 50]},
]


@pytest.fixture(scope="module")
def served(model, judged):
    """Makes a client of the service that keeps corrections in a folder, or takes none."""
    recognizer, verdict = Recognizer.load(model), Verdict.model_validate(judged)

    def make(folder):
        app = create_app()
        app.state.served = Served(recognizer, verdict, threading.Lock(), folder)
        return TestClient(app, raise_server_exceptions=False)

    return make


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def send(served, folder, writing):
    """Sends a correction, with some of it changed."""

    def post(picture=None, headers=None, to=folder, **changed):
        correction = {"lines": LINES, **changed}
        files = {"picture": ("page.png", picture or writing.read_bytes())}
        return served(to).post(
            "/corrections", files=files, data={"correction": json.dumps(correction)}, headers=headers or {}
        )

    return post


def test_a_correction_is_kept_under_the_name_that_the_answer_gives(send, folder, writing, judged):
    answer = send(writer="anna", dpi=150)
    name = answer.json()["correction"]
    assert (answer.status_code, answer.json()["files"]) == (201, [f"{name}.png", f"{name}.json"])
    assert sorted(path.name for path in folder.iterdir()) == sorted(answer.json()["files"])
    kept = feedback.read(folder, name)
    assert kept.form.text == "Rain fell all day\nand the mill stood still"
    assert (kept.model, kept.form.writer) == (judged["model"], "anna")
    assert np.array_equal(kept.picture, open_picture(writing))


def test_what_a_camera_noted_beside_the_picture_is_not_kept(send, folder, writing):
    # Given a photograph on its side that says where it was taken
    notes = Image.Exif()
    notes[0x0112] = 6
    notes[0x010F] = "a camera maker"
    notes.get_ifd(0x8825)[1] = "N"
    stream = io.BytesIO()
    Image.open(writing).rotate(90, expand=True).save(stream, "JPEG", exif=notes)
    # When a correction of it is sent
    name = send(stream.getvalue()).json()["correction"]
    # Then the picture that is kept stands upright and says nothing
    with Image.open(folder / f"{name}.png") as kept:
        assert (kept.size, kept.mode, dict(kept.getexif()), kept.info) == ((600, 200), "L", {}, {})


def test_nothing_is_kept_and_the_reason_is_given_where_corrections_are_off(send, folder):
    answer = send(to=None)
    assert (answer.status_code, answer.json()["error"]) == (403, "this service takes no corrections")
    assert VARIABLE in answer.json()["fix"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("on", [True, False])
def test_the_service_says_whether_it_takes_corrections(served, folder, on):
    assert served(folder if on else None).get("/model").json()["corrections"] is on


def one(**changed):
    return {"lines": [{**LINES[0], **changed}]}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"lines": []}, "lines"),
        ({"lines": LINES * 51}, "lines"),
        ({"lines": LINES[::-1]}, "line 2 is not below the one before"),
        ({"model": "me"}, "model"),
        ({"writer": "a\0b"}, "writer"),
        ({"writer": ""}, "writer"),
        ({"dpi": 5}, "dpi"),
        (one(text=" "), "line 1 has no text"),
        (one(text="3 \u20ac"), "does not know: \u20ac"),
        (one(text="a" * 501), "lines.0.text"),
        (one(box=[28, 26, 400]), "lines.0.box"),
        (one(box=[28, 26, 600, 50]), "the box of line 1 leaves the picture"),
        (one(box=[28, 26, 0, 50]), "is not [x, y, width, height]"),
        (one(box=[28, 26, 1e9, 50]), "is not [x, y, width, height]"),
    ],
)
def test_a_correction_that_cannot_be_learnt_from_is_refused_with_the_reason(send, folder, changed, reason):
    answer = send(**changed)
    assert answer.status_code == 422
    assert reason in answer.json()["error"]
    assert answer.json()["fix"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("picture", "status"), [(b"%PDF-1.7\n", 415), (b"\x89PNG\r\n\x1a\n" + b"\0" * 30, 415)])
def test_a_picture_that_is_none_is_refused(send, folder, picture, status):
    assert send(picture).status_code == status
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("request_", [{"data": {"correction": "{}"}}, {"files": {"picture": b"x"}}, {"json": {}}])
def test_a_request_that_lacks_a_part_is_told_what_to_send(served, folder, request_):
    answer = served(folder).post("/corrections", **request_)
    assert (answer.status_code, answer.json()["error"]) == (422, "the request is no correction")
    assert "'correction'" in answer.json()["fix"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver"}, 201),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 201),
    ],
)
def test_a_page_of_another_site_cannot_send_in_a_person_s_name(send, folder, headers, status):
    assert send(headers=headers).status_code == status
    assert len(list(folder.iterdir())) == (2 if status == 201 else 0)


def test_a_full_disk_is_told_and_nothing_half_written_stays(send, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(feedback, "write_json", full)
    answer = send()
    assert (answer.status_code, "No space left" in answer.json()["error"]) == (507, True)
    assert list(folder.iterdir()) == []


def test_a_disk_that_is_nearly_full_is_left_alone(send, folder, monkeypatch):
    monkeypatch.setattr(corrections, "SPARE_BYTES", 1 << 60)
    assert send().status_code == 507
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("named", ["data/feedback", "/nowhere/at/all"])
def test_a_folder_that_cannot_be_used_stops_the_service_by_name(named):
    with pytest.raises(ConfigError, match=f"'{named}' is not a"):
        folder_of({VARIABLE: named})


def test_no_variable_or_an_empty_one_means_off():
    assert (folder_of({}), folder_of({VARIABLE: ""})) == (None, None)


@pytest.mark.slow
def test_a_served_bento_keeps_what_it_read_and_a_person_corrected(server, feedback_folder, writing, judged):
    with httpx.Client(base_url=server[0], timeout=60, trust_env=False) as client:
        files = {"picture": ("page.png", writing.read_bytes())}
        answer = client.post("/corrections", files=files, data={"correction": json.dumps({"lines": LINES})})
    assert answer.status_code == 201
    kept = feedback.read(feedback_folder, answer.json()["correction"])
    assert (kept.form.text.split("\n")[0], kept.model) == (LINES[0]["text"], judged["model"])


@pytest.mark.slow
def test_a_served_bento_says_that_it_takes_corrections(server):
    with urllib.request.urlopen(f"{server[0]}/model", timeout=30) as answer:
        assert json.load(answer)["corrections"] is True
