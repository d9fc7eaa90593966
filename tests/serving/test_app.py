"""The web application: what it answers, in the form that /openapi.json declares, and how it refuses a bad request."""

import io
import struct
import subprocess
import sys
import threading
import zlib

import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.core.schemas import ModelDescription, ReadPage, ReadPages
from text_recognizer.inference import Recognizer
from text_recognizer.pages.opening import open_picture
from text_recognizer.serving.app import MAX_PICTURES, Served, create_app
from text_recognizer.serving.limits import MAX_BYTES

# Pillow would start Ghostscript for this file.
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"


@pytest.fixture(scope="module")
def client(model, verdict):
    app = create_app()
    app.state.served = Served(Recognizer.load(model), verdict, threading.Lock())
    return TestClient(app, raise_server_exceptions=False)


def send(client, *pictures):
    return client.post("/read", files=[("picture", (f"{index}.png", data)) for index, data in enumerate(pictures)])


def png(picture):
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def png_of_size(width, height):
    """Make a PNG whose header states a size that its data do not have."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_the_answer_to_a_picture_is_what_the_recognizer_reads_and_names_the_model(client, model, writing):
    answer = ReadPage.model_validate(send(client, writing.read_bytes()).json())
    recognizer = Recognizer.load(model)
    expected = recognizer.read(open_picture(writing)).to_record()
    assert (answer.text, answer.confidence) == (expected.text, pytest.approx(expected.confidence))
    assert answer.lines == expected.lines
    assert (answer.width, answer.height) == (600, 200)
    assert (answer.model.digest, answer.model.runtime) == (recognizer.digest, recognizer.runtime)


def test_several_pictures_are_answered_in_order(client, writing):
    answer = send(client, png(Image.new("L", (90, 50), 255)), writing.read_bytes()).json()
    pages = ReadPages.model_validate(answer).pictures
    assert [(page.name, page.width) for page in pages] == [("0.png", 90), ("1.png", 600)]


def test_too_many_pictures_are_refused(client):
    assert send(client, *[b"x"] * (MAX_PICTURES + 1)).status_code == 422


def test_a_blank_page_has_no_text(client):
    answer = send(client, png(Image.new("RGB", (300, 200), "white")))
    assert (answer.status_code, answer.json()["text"], answer.json()["lines"]) == (200, "", [])


@pytest.mark.parametrize("data", [b"", b"plain words", b"%PDF-1.7\n", EPS])
def test_a_file_that_is_not_a_picture_is_refused_and_named(client, data):
    answer = send(client, data)
    assert (answer.status_code, sorted(answer.json())) == (415, ["error", "fix"])
    assert "0.png" in answer.json()["error"]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(60_000, 60_000), (11_001, 11_000), (400, 400)], ids=["bomb", "large", "cut short"])
def test_an_unusable_picture_is_refused_with_a_reason(client, size):
    answer = send(client, png_of_size(*size))
    assert (answer.status_code, sorted(answer.json())) == (422, ["error", "fix"])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"files": {"other": b"x"}}, 422),
        ({"data": {"picture": "words"}}, 422),
        ({"json": {}}, 422),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
    ],
    ids=["another part", "a field", "json", "a broken form"],
)
def test_a_request_without_a_picture_is_refused_with_how_to_send_one(client, request_, status):
    answer = client.post("/read", **request_)
    assert (answer.status_code, "named 'picture'" in answer.json()["fix"]) == (status, True)


def test_a_body_over_the_limit_is_refused(client):
    assert send(client, b"x" * (MAX_BYTES + 1)).status_code == 413


def test_a_body_over_the_limit_is_refused_if_its_length_is_not_declared(client):
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="p"\r\n\r\n'
    chunks = [head] + [b"x" * 2**20] * (MAX_BYTES // 2**20 + 1)
    answer = client.post("/read", content=iter(chunks), headers={"content-type": "multipart/form-data; boundary=b"})
    assert (answer.status_code, sorted(answer.json())) == (413, ["error", "fix"])


def test_a_wrong_method_is_refused_in_the_same_form(client):
    answer = client.get("/read")
    assert (answer.status_code, sorted(answer.json())) == (405, ["error", "fix"])


def test_the_model_is_described_with_its_digest_its_error_rate_and_the_limits(client, judged):
    raw = client.get("/model").json()
    answer = ModelDescription.model_validate(raw)
    assert (answer.digest, answer.cer, answer.cer_interval) == (judged["model"], 0.1, (0.08, 0.12))
    assert answer.version == judged["model"][:12]
    assert answer.limits.bytes == MAX_BYTES
    assert raw["class"] == "ParagraphReader"


@pytest.fixture(scope="module")
def openapi(client):
    return client.get("/openapi.json").json()


def fields(openapi, schema):
    """Return the names of the fields of a schema."""
    return set(openapi["components"]["schemas"][schema]["properties"])


def answers(openapi, path, method, status):
    """Return the names of the schemas that an answer may have."""
    content = openapi["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    return {one["$ref"].rpartition("/")[2] for one in content.get("anyOf", [content])}


def test_openapi_names_the_fields_of_a_page_that_was_read(openapi):
    assert answers(openapi, "/read", "post", "200") == {"ReadPage", "ReadPages"}
    page = {"text", "confidence", "lines", "name", "width", "height", "model"}
    assert fields(openapi, "ReadPage") == page
    assert fields(openapi, "ReadPages") == {"pictures", "model"}
    assert fields(openapi, "Line") == {"text", "confidence", "box", "words"}
    assert fields(openapi, "Word") == {"text", "confidence"}
    assert fields(openapi, "ServedModel") == {"name", "version", "digest", "runtime"}


def test_openapi_names_the_fields_of_the_model_and_of_a_correction(openapi):
    assert answers(openapi, "/model", "get", "200") == {"ModelDescription"}
    assert fields(openapi, "ModelDescription") >= {"digest", "runtime", "class", "cer", "cer_interval", "limits"}
    assert fields(openapi, "RequestLimits") == {"bytes", "pixels", "pictures", "lines", "characters"}
    assert answers(openapi, "/corrections", "post", "201") == {"KeptCorrection"}
    assert fields(openapi, "KeptCorrection") == {"correction", "files", "lines"}


@pytest.mark.parametrize(
    ("path", "statuses"), [("/read", ("413", "415", "422")), ("/corrections", ("403", "413", "415", "422", "507"))]
)
def test_openapi_names_the_fields_of_a_refusal(openapi, path, statuses):
    assert [answers(openapi, path, "post", status) for status in statuses] == [{"Problem"}] * len(statuses)
    assert fields(openapi, "Problem") == {"error", "fix"}


def test_the_service_is_imported_without_torch():
    code = "import sys, text_recognizer.serving.service; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
