"""A correction is kept whole, under the name in the answer, or is refused with the reason and not kept."""

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora import corrections
from text_recognizer.pages.line_finding import Upright
from text_recognizer.pages.opening import open_picture
from text_recognizer.serving import correction_endpoint
from text_recognizer.serving.app import Served, create_app
from text_recognizer.serving.correction_endpoint import FEEDBACK_VARIABLE, feedback_folder

LINES = [
    {"text": "Rain fell all day", "box": [28, 26, 400, 50]},
    {"text": "and the mill stood still", "box": [28, 106, 520, 50]},
]


@pytest.fixture(scope="module")
def served(recognizer, verdict):
    """Make a client of a service that keeps corrections in a folder, or accepts none."""

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
    """Send a correction with some of its fields changed."""

    def post(picture=None, headers=None, to=folder, **changed):
        correction = {"lines": LINES, **changed}
        files = {"picture": ("page.png", picture or writing.read_bytes())}
        return served(to).post(
            "/corrections", files=files, data={"correction": json.dumps(correction)}, headers=headers or {}
        )

    return post


def test_a_correction_is_kept_under_the_name_in_the_answer(send, folder, writing, judged):
    answer = send(writer="anna", dpi=150)
    name = answer.json()["correction"]
    assert (answer.status_code, answer.json()["files"]) == (201, [f"{name}.png", f"{name}.json"])
    assert sorted(path.name for path in folder.iterdir()) == sorted(answer.json()["files"])
    kept = corrections.read(folder, name)
    assert kept.form.text == "Rain fell all day\nand the mill stood still"
    assert (kept.model, kept.form.writer) == (judged["model"], "anna")
    assert np.array_equal(kept.picture, open_picture(writing))


def test_the_metadata_of_a_photograph_is_not_kept(send, folder, writing):
    # Given a rotated photograph whose metadata say where it was taken
    metadata = Image.Exif()
    metadata[0x0112] = 6
    metadata[0x010F] = "a camera maker"
    metadata.get_ifd(0x8825)[1] = "N"
    stream = io.BytesIO()
    Image.open(writing).rotate(90, expand=True).save(stream, "JPEG", exif=metadata)
    # When a correction of it is sent
    name = send(stream.getvalue()).json()["correction"]
    # Then the picture that is kept is upright and has no metadata
    with Image.open(folder / f"{name}.png") as kept:
        assert (kept.size, kept.mode, dict(kept.getexif()), kept.info) == ((600, 200), "L", {}, {})


def test_the_lines_of_an_answer_can_be_sent_back_as_a_correction(served, send, folder, handwriting):
    page = served(folder).post("/read", files={"picture": handwriting.read_bytes()}).json()
    lines = [{"text": line["text"], "box": line["box"]} for line in page["lines"]]
    answer = send(handwriting.read_bytes(), lines=lines, page=page["page"], turn=page["turn"])
    assert (answer.status_code, answer.json()["lines"]) == (201, 2)
    assert corrections.read(folder, answer.json()["correction"]).form.text == page["text"]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_and_its_boxes_are_kept_upright(send, folder, writing, quarters):
    # Given a picture that needs some quarter turns clockwise, and the boxes of its lines in its own pixels
    upright = np.asarray(Image.open(writing))
    stream = io.BytesIO()
    Image.fromarray(np.rot90(upright, quarters)).save(stream, "PNG")
    place = Upright(quarters, np.rot90(upright, quarters).shape)
    lines = [{"text": line["text"], "box": place.box(Box(*line["box"]))} for line in LINES]
    # When a correction of it is sent
    name = send(stream.getvalue(), lines=lines, turn=90 * quarters).json()["correction"]
    # Then the picture and the boxes that are kept are upright
    assert np.array_equal(corrections.read(folder, name).picture, upright)
    kept = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert [line["box"] for line in kept["lines"]] == [line["box"] for line in LINES]


def test_a_correction_names_its_page_of_the_file(send, folder, writing):
    picture = Image.open(writing)
    stream = io.BytesIO()
    Image.new("L", (90, 50), 255).save(stream, "TIFF", save_all=True, append_images=[picture])
    name = send(stream.getvalue(), page=2).json()["correction"]
    assert np.array_equal(corrections.read(folder, name).picture, np.asarray(picture))
    assert send(stream.getvalue(), page=3).status_code == 422


def test_if_corrections_are_off_nothing_is_kept_and_the_fix_names_the_variable(send, folder):
    answer = send(to=None)
    assert answer.status_code == 403
    assert FEEDBACK_VARIABLE in answer.json()["fix"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("on", [True, False])
def test_the_description_of_the_model_says_whether_corrections_are_on(served, folder, on):
    assert served(folder if on else None).get("/model").json()["corrections"] is on


def with_line(**changed):
    return {"lines": [{**LINES[0], **changed}]}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"lines": []}, "lines"),
        ({"lines": LINES * 51}, "lines"),
        ({"lines": LINES[::-1]}, "line 2"),
        ({"model": "me"}, "model"),
        ({"writer": "a\0b"}, "writer"),
        ({"writer": ""}, "writer"),
        ({"dpi": 5}, "dpi"),
        ({"page": 0}, "page"),
        ({"turn": 45}, "turn"),
        (with_line(text=" "), "line 1"),
        (with_line(text="3 \u20ac"), "\u20ac"),
        (with_line(text="a" * 501), "lines.0.text"),
        (with_line(box=[28, 26, 400]), "lines.0.box"),
        (with_line(box=[28, 26, 600, 50]), "line 1"),
        (with_line(box=[28, 26, 0, 50]), "box"),
        (with_line(box=[28, 26, 1e9, 50]), "box"),
    ],
)
def test_an_invalid_correction_is_refused_with_the_reason(send, folder, changed, named):
    answer = send(**changed)
    assert answer.status_code == 422
    assert named in answer.json()["error"]
    assert answer.json()["fix"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("picture", "status"), [(b"%PDF-1.7\n", 422), (b"\x89PNG\r\n\x1a\n" + b"\0" * 30, 415)])
def test_a_file_that_cannot_be_read_is_refused(send, folder, picture, status):
    assert send(picture).status_code == status
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("request_", [{"data": {"correction": "{}"}}, {"files": {"picture": b"x"}}, {"json": {}}])
def test_a_request_that_lacks_a_part_is_refused_with_what_to_send(served, folder, request_):
    answer = served(folder).post("/corrections", **request_)
    assert answer.status_code == 422
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
def test_a_page_of_another_site_cannot_make_a_browser_send_a_correction(send, folder, headers, status):
    assert send(headers=headers).status_code == status
    assert len(list(folder.iterdir())) == (2 if status == 201 else 0)


def test_on_a_full_disk_the_correction_is_refused_and_no_partial_file_stays(send, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(corrections, "write_json", full)
    answer = send()
    assert answer.status_code == 507
    assert list(folder.iterdir()) == []


def test_on_a_nearly_full_disk_the_correction_is_refused(send, folder, monkeypatch):
    monkeypatch.setattr(correction_endpoint, "SPARE_BYTES", 1 << 60)
    assert send().status_code == 507
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("named", ["data/feedback", "/nowhere/at/all"])
def test_an_unusable_feedback_folder_is_named(named):
    with pytest.raises(ConfigError) as caught:
        feedback_folder({FEEDBACK_VARIABLE: named})
    assert named in caught.value.what


def test_without_the_variable_or_with_an_empty_one_corrections_are_off():
    assert (feedback_folder({}), feedback_folder({FEEDBACK_VARIABLE: ""})) == (None, None)
