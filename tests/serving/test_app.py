"""The web application: what it answers, in the form that /openapi.json declares, and how it refuses a bad request."""

import io
import struct
import subprocess
import sys
import threading
import zlib

import pillow_heif
import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.core.schemas import ModelDescription, ReadPage, ReadPages
from text_recognizer.serving.app import MAX_PAGES, MAX_PICTURES, Served, create_app
from text_recognizer.serving.limits import MAX_BYTES

# Pillow would start Ghostscript for this file.
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"

AS_READ = ("text", "confidence", "lines", "width", "height", "turn", "sheet", "regions")


@pytest.fixture(scope="module")
def client(recognizer, verdict):
    app = create_app()
    app.state.served = Served(recognizer, verdict, threading.Lock())
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


def test_the_answer_to_a_picture_is_what_the_recognizer_reads_and_names_the_model(client, recognizer, handwriting):
    answer = ReadPage.model_validate(send(client, handwriting.read_bytes()).json())
    expected = recognizer.read(handwriting).to_record()
    assert len(expected.lines) == 2
    assert {name: getattr(answer, name) for name in AS_READ} == {name: getattr(expected, name) for name in AS_READ}
    assert (answer.width, answer.height) == Image.open(handwriting).size
    assert (answer.page, answer.pages, answer.name) == (1, 1, "0.png")
    assert (answer.model.digest, answer.model.runtime) == (recognizer.digest, recognizer.runtime)


def test_printed_lines_are_left_out(client, writing):
    answer = send(client, writing.read_bytes())
    assert (answer.status_code, answer.json()["text"], answer.json()["lines"]) == (200, "", [])


def test_several_pictures_are_answered_in_order(client, writing):
    answer = send(client, png(Image.new("L", (90, 50), 255)), writing.read_bytes()).json()
    pages = ReadPages.model_validate(answer).pictures
    assert [(page.name, page.width) for page in pages] == [("0.png", 90), ("1.png", 600)]


def file_of(kind, pages):
    """Make a file of blank pages, the first 90 px wide, each 10 px wider than the one before it."""
    first, *others = [Image.new("L", (90 + 10 * number, 50), 255) for number in range(pages)]
    stream = io.BytesIO()
    first.save(stream, kind, save_all=True, append_images=others)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_the_pages_of_a_file_are_answered_in_order_with_their_numbers(client, kind):
    answer = send(client, file_of(kind, 3), file_of("PNG", 1)).json()
    pages = ReadPages.model_validate(answer).pictures
    assert [(page.name, page.page, page.pages) for page in pages] == [
        ("0.png", 1, 3), ("0.png", 2, 3), ("0.png", 3, 3), ("1.png", 1, 1)
    ]  # fmt: skip
    assert [page.width for page in pages] == [*sorted(page.width for page in pages[:3]), 90]


def test_a_pdf_of_one_page_is_answered_as_a_picture_is(client):
    answer = ReadPage.model_validate(send(client, file_of("PDF", 1)).json())
    assert (answer.page, answer.pages, answer.text) == (1, 1, "")


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_picture_of_a_telephone_is_read(client, kind):
    pillow_heif.register_heif_opener()
    assert ReadPage.model_validate(send(client, file_of(kind, 1)).json()).width == 90


def test_files_with_too_many_pages_are_refused(client):
    answer = send(client, png(Image.new("L", (90, 50), 255)), file_of("TIFF", MAX_PAGES))
    assert (answer.status_code, sorted(answer.json())) == (422, ["error", "fix"])
    assert f"1.png has {MAX_PAGES} pages" in answer.json()["error"]


def test_too_many_pictures_are_refused(client):
    assert send(client, *[b"x"] * (MAX_PICTURES + 1)).status_code == 422


def test_a_blank_page_has_no_text(client):
    answer = send(client, png(Image.new("RGB", (300, 200), "white")))
    assert (answer.status_code, answer.json()["text"], answer.json()["lines"]) == (200, "", [])


@pytest.mark.parametrize("data", [b"", b"plain words", EPS])
def test_a_file_that_is_no_picture_and_no_pdf_is_refused_and_named(client, data):
    answer = send(client, data)
    assert (answer.status_code, sorted(answer.json())) == (415, ["error", "fix"])
    assert "0.png" in answer.json()["error"]


def test_a_pdf_that_is_cut_short_is_refused_with_a_reason(client):
    answer = send(client, b"%PDF-1.7\n")
    assert (answer.status_code, sorted(answer.json())) == (422, ["error", "fix"])


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
    page = {*AS_READ, "timings", "name", "page", "pages", "model"}
    assert fields(openapi, "ReadPage") == page
    assert fields(openapi, "ReadPages") == {"pictures", "model"}
    line = {"text", "confidence", "box", "words", "polygon", "baseline", "kind", "dubious", "region"}
    assert fields(openapi, "Line") == line
    assert fields(openapi, "Word") == {"text", "confidence", "box", "crossed_out"}
    assert fields(openapi, "ServedModel") == {"name", "version", "digest", "runtime"}


def test_openapi_names_the_fields_of_the_model_and_of_a_correction(openapi):
    assert answers(openapi, "/model", "get", "200") == {"ModelDescription"}
    assert fields(openapi, "ModelDescription") >= {"digest", "runtime", "class", "cer", "cer_interval", "limits"}
    assert fields(openapi, "RequestLimits") == {"bytes", "pixels", "pictures", "pages", "lines", "characters"}
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
