"""A correction is kept whole, under the name in the answer, or is refused with the reason and not kept."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora import corrections
from text_recognizer.pages.line_finding import Upright
from text_recognizer.pages.opening import open_picture
from text_recognizer.serving.correction_store import FEEDBACK_VARIABLE, Quota, feedback_folder
from text_recognizer.validation.correction_checks import CorrectionLimits

pytestmark = pytest.mark.slow

LINES = [
    {"text": "Rain fell all day", "box": [28, 26, 400, 50]},
    {"text": "and the mill stood still", "box": [28, 106, 520, 50]},
]


@pytest.fixture(scope="module")
def served(application):
    """Make a client of a service that keeps corrections in a folder, or accepts none."""

    def make(folder, **changes):
        return TestClient(application(folder, **changes), raise_server_exceptions=False)

    return make


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def send(served, folder, writing):
    """Send a correction with some of its fields changed."""

    def post(picture=None, headers=None, to=folder, quota=Quota(), **changed):  # noqa: B008
        correction = {"lines": LINES, **changed}
        files = {"picture": ("page.png", picture or writing.read_bytes())}
        return served(to, quota=quota).post(
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
    with Image.open(folder / f"{name}.jpg") as kept:
        assert (kept.size, kept.mode, dict(kept.getexif())) == ((600, 200), "L", {})
        assert "exif" not in kept.info
    assert b"a camera maker" not in (folder / f"{name}.jpg").read_bytes()


@pytest.mark.parametrize(
    ("kind", "suffix", "most"),
    [("PNG", ".png", 1.0), ("TIFF", ".png", 1.0), ("JPEG", ".jpg", 1.1), ("WEBP", ".jpg", 1.7)],
)
def test_a_picture_that_has_lost_its_exact_pixels_is_not_kept_as_png(send, folder, kind, suffix, most):
    # Given a page of grain, which takes four times as many bytes in PNG as in JPEG
    page = np.random.default_rng(1).normal(225, 12, (600, 900)).clip(0, 255).astype(np.uint8)
    page[100:160, 100:800:7] = 20
    stream = io.BytesIO()
    Image.fromarray(page).convert("RGB").save(stream, kind, quality=60)
    # When a correction of it is sent
    answer = send(stream.getvalue(), lines=[{"text": "a comb of strokes", "box": [90, 90, 720, 80]}])
    # Then a JPEG stays one, and a PNG keeps its pixels
    (picture, _) = answer.json()["files"]
    assert picture.endswith(suffix)
    assert (folder / picture).stat().st_size < most * len(stream.getvalue())
    if suffix == ".png":
        assert np.array_equal(open_picture(folder / picture), page)


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
        ({"lines": LINES * 2}, "line 3"),
        (with_line(box=[28, 26, 400, 1]), "line 1"),
        (with_line(box=[28, 160, 400, 30]), "line 1"),
        (with_line(box=[28, 26, 20, 50]), "line 1"),
        ({"model": "me"}, "model"),
        ({"writer": "a\0b"}, "writer"),
        ({"writer": ""}, "writer"),
        ({"dpi": 5}, "dpi"),
        ({"page": 0}, "page"),
        ({"turn": 45}, "turn"),
        (with_line(text=" "), "line 1"),
        (with_line(text="3 \u20ac"), "\u20ac"),
        (with_line(text="<"), "<"),
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
    assert named in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
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


@pytest.mark.parametrize(
    "quota", [Quota(spare_bytes=1 << 60), Quota(corrections=1), Quota(bytes=20_000)], ids=["disk", "number", "bytes"]
)
def test_if_the_disk_or_the_quota_is_full_the_correction_is_refused_and_reading_goes_on(
    served, send, folder, writing, quota
):
    # Given a folder with a correction
    send()
    before = sorted(folder.iterdir())
    with (folder / "other.txt").open("wb") as other:
        other.write(bytes(20_000))
    # When another one is sent
    answer = send(quota=quota)
    # Then it is refused, nothing is written, and pictures are still read
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:text-recognizer:problem:full")
    assert sorted(folder.iterdir()) == sorted([*before, folder / "other.txt"])
    read = served(folder, quota=quota).post("/read", files={"picture": writing.read_bytes()})
    assert read.status_code == 200


def test_a_line_that_cannot_be_labelled_is_named_and_the_page_is_kept_as_it_was_sent(send, folder):
    # Given a page whose second line has a sign that the charset lacks, and whose first has an accent
    lines = [{**LINES[0], "text": "Rain f\u00e9ll <3"}, {**LINES[1], "text": "th\u00e9 mill"}]
    # When it is sent
    answer = send(lines=lines)
    # Then the first is named, the second is labelled without its accent, and both texts are kept
    assert (answer.status_code, answer.json()["problems"]) == (201, [])
    (left_out,) = answer.json()["left_out"]
    assert "line 1" in left_out
    assert "<" in left_out
    kept = corrections.read(folder, answer.json()["correction"])
    assert kept.form.text == "the mill"
    record = json.loads((folder / answer.json()["files"][1]).read_text(encoding="utf-8"))
    assert [line["text"] for line in record["lines"]] == [line["text"] for line in lines]


def test_a_page_that_the_pipeline_cannot_train_on_is_kept_and_its_sender_is_told(application, params, folder, writing):
    # Given a service for a pipeline whose canvas is too small for the page
    app = application(folder)
    section = params.preprocess.model_copy(update={"dpi": 150, "canvas_width": 224, "canvas_height": 64})
    feedback = replace(app.state.served.feedback, limits=CorrectionLimits(section, 0.005))
    app.state.served = replace(app.state.served, feedback=feedback)
    # When a correction without any fault of its own is sent
    correction = json.dumps({"lines": LINES, "dpi": 150})
    answer = TestClient(app).post(
        "/corrections", files={"picture": writing.read_bytes()}, data={"correction": correction}
    )
    # Then it is kept, and the answer names the parameter
    assert answer.status_code == 201
    assert any("preprocess.canvas_height" in problem for problem in answer.json()["problems"])
    assert corrections.list_ids(folder) == [answer.json()["correction"]]


@pytest.mark.parametrize("named", ["data/feedback", "/nowhere/at/all"])
def test_an_unusable_feedback_folder_is_named(named):
    with pytest.raises(ConfigError) as caught:
        feedback_folder({FEEDBACK_VARIABLE: named})
    assert named in caught.value.what


def test_without_the_variable_or_with_an_empty_one_corrections_are_off():
    assert (feedback_folder({}), feedback_folder({FEEDBACK_VARIABLE: ""})) == (None, None)
