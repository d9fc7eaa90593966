"""The web application: what it answers, in the form that /openapi.json declares, and how it refuses a bad request."""

import io
import json
import re
import struct
import subprocess
import sys
import zlib

import pillow_heif
import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.core.schemas import ModelDescription, ReadPage, ReadPages, UnreadPage
from text_recognizer.serving.limits import MAX_BYTES
from text_recognizer.serving.reading import MAX_PAGES
from text_recognizer.serving.sent_files import MAX_PICTURES

# Pillow would start Ghostscript for this file.
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"

PROBLEM = ["detail", "fix", "status", "title", "type"]
AS_READ = ("text", "confidence", "lines", "width", "height", "turn", "sheet", "regions")


@pytest.fixture(scope="module")
def client(application):
    return TestClient(application(), raise_server_exceptions=False)


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
    answer = send(client, file_of("TIFF", MAX_PAGES + 1))
    assert (answer.status_code, sorted(answer.json())) == (422, PROBLEM)
    assert f"0.png has {MAX_PAGES + 1} pages" in answer.json()["detail"]


def test_some_pages_of_a_long_file_can_be_chosen(client):
    files = {"picture": file_of("TIFF", MAX_PAGES + 1)}
    answer = client.post("/read?pages=2,21", files=files).json()
    assert [(page["page"], page["width"]) for page in answer["pictures"]] == [(2, 100), (21, 290)]
    assert client.post("/read?pages=0", files=files).status_code == 422
    assert client.post("/read?pages=22", files=files).status_code == 422


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_every_picture_of_an_animation_is_answered(client, kind):
    frames = [Image.new("L", (90, 50), 255 - 40 * number) for number in range(3)]
    stream = io.BytesIO()
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:], lossless=True)
    pages = ReadPages.model_validate(send(client, stream.getvalue()).json()).pictures
    assert [(page.page, page.pages) for page in pages] == [(1, 3), (2, 3), (3, 3)]


def test_a_bad_picture_has_its_problem_and_the_others_their_answers(client, writing):
    answer = send(client, b"no picture", writing.read_bytes(), png_of_size(400, 400), file_of("TIFF", MAX_PAGES))
    pictures = ReadPages.model_validate(answer.json()).pictures
    assert answer.status_code == 200
    assert [getattr(one, "width", None) for one in pictures] == [None, 600, None, None]
    assert [one.problem.status for one in pictures if isinstance(one, UnreadPage)] == [415, 422, 422]
    assert [one.name for one in pictures] == ["0.png", "1.png", "2.png", "3.png"]


def test_if_no_picture_can_be_read_the_request_is_refused(client):
    answer = send(client, b"no picture", png_of_size(400, 400))
    assert (answer.status_code, sorted(answer.json())) == (415, PROBLEM)


@pytest.mark.parametrize("damaged", [1, 2, 3])
def test_a_damaged_page_has_its_problem_and_the_others_their_answers(client, damaged):
    # Given a TIFF of three pages, the strips of one of which lie behind the end of the file
    data = bytearray(file_of("TIFF", 3))
    place = struct.unpack("<I", data[4:8])[0]
    for _ in range(damaged - 1):
        count = struct.unpack("<H", data[place : place + 2])[0]
        place = struct.unpack("<I", data[place + 2 + 12 * count :][:4])[0]
    count = struct.unpack("<H", data[place : place + 2])[0]
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        if struct.unpack("<H", data[entry : entry + 2])[0] == 273:
            data[entry + 8 : entry + 12] = struct.pack("<I", 1 << 30)
    # When it is sent
    answer = send(client, bytes(data))
    # Then only that page is a problem
    pictures = ReadPages.model_validate(answer.json()).pictures
    assert [one.page for one in pictures] == [1, 2, 3]
    assert [one.page for one in pictures if isinstance(one, UnreadPage)] == [damaged]


def test_a_tiff_whose_offsets_are_not_whole_numbers_is_refused_with_a_sentence(client):
    data = bytearray(file_of("TIFF", 1))
    place = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[place : place + 2])[0]
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        if struct.unpack("<H", data[entry : entry + 2])[0] == 273:
            data[entry + 2 : entry + 12] = struct.pack("<HIf", 11, 1, 200.0)
    answer = send(client, bytes(data))
    assert (answer.status_code, sorted(answer.json())) == (422, PROBLEM)
    assert "0.png" in answer.json()["detail"]


def test_too_many_pictures_are_refused(client):
    assert send(client, *[b"x"] * (MAX_PICTURES + 1)).status_code == 422


def test_a_blank_page_has_no_text(client):
    answer = send(client, png(Image.new("RGB", (300, 200), "white")))
    assert (answer.status_code, answer.json()["text"], answer.json()["lines"]) == (200, "", [])


@pytest.mark.parametrize("data", [b"", b"plain words", EPS])
def test_a_file_that_is_no_picture_and_no_pdf_is_refused_and_named(client, data):
    answer = send(client, data)
    assert (answer.status_code, sorted(answer.json())) == (415, PROBLEM)
    assert "0.png" in answer.json()["detail"]


def test_a_pdf_that_is_cut_short_is_refused_with_a_reason(client):
    answer = send(client, b"%PDF-1.7\n")
    assert (answer.status_code, sorted(answer.json())) == (422, PROBLEM)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(60_000, 60_000), (11_001, 11_000), (400, 400)], ids=["bomb", "large", "cut short"])
def test_an_unusable_picture_is_refused_with_a_reason(client, size):
    answer = send(client, png_of_size(*size))
    assert (answer.status_code, sorted(answer.json())) == (422, PROBLEM)


def test_a_body_over_the_limit_is_refused(client):
    assert send(client, b"x" * (MAX_BYTES + 1)).status_code == 413


def test_a_body_over_the_limit_is_refused_if_its_length_is_not_declared(client):
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="p"\r\n\r\n'
    chunks = [head] + [b"x" * 2**20] * (MAX_BYTES // 2**20 + 1)
    answer = client.post("/read", content=iter(chunks), headers={"content-type": "multipart/form-data; boundary=b"})
    assert (answer.status_code, sorted(answer.json())) == (413, PROBLEM)


@pytest.mark.parametrize(("path", "status"), [("/read", 405), ("/nowhere", 404), ("/read?format=docx", 405)])
def test_a_wrong_method_or_path_is_refused_in_the_same_form(client, path, status):
    answer = client.get(path)
    assert (answer.status_code, sorted(answer.json())) == (status, PROBLEM)
    assert answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/model"])
def test_a_head_request_is_answered_without_a_body(client, path):
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(client.get(path).content)


def test_the_model_is_described_with_its_digest_its_error_rate_and_the_limits(client, judged):
    raw = client.get("/model").json()
    answer = ModelDescription.model_validate(raw)
    assert (answer.digest, answer.cer, answer.cer_interval) == (judged["model"], 0.1, (0.08, 0.12))
    assert answer.version == judged["model"][:12]
    assert answer.limits.bytes == MAX_BYTES
    assert raw["class"] == "LineReader"


@pytest.fixture(scope="module")
def openapi(client):
    return client.get("/openapi.json").json()


def fields(openapi, schema):
    """Return the names of the fields of a schema."""
    return set(openapi["components"]["schemas"][schema]["properties"])


def answers(openapi, path, method, status):
    """Return the names of the schemas that an answer may have."""
    media = "application/json" if status < "400" else "application/problem+json"
    content = openapi["paths"][path][method]["responses"][status]["content"][media]["schema"]
    return {one["$ref"].rpartition("/")[2] for one in content.get("anyOf", [content])}


def test_every_reference_in_openapi_leads_to_a_schema(openapi):
    names = re.findall(r'"\$ref": "(.+?)"', json.dumps(openapi))
    assert names
    assert {name.removeprefix("#/components/schemas/") for name in names} <= set(openapi["components"]["schemas"])


def test_openapi_promises_problem_details_for_every_refusal(openapi):
    assert "HTTPValidationError" not in openapi["components"]["schemas"]
    refusals = [
        (path, method, status, list(answer["content"]))
        for path, methods in openapi["paths"].items()
        for method, one in methods.items()
        for status, answer in one["responses"].items()
        if not status.startswith("2")
    ]
    assert len(refusals) > 30
    assert [refusal for refusal in refusals if refusal[3] != ["application/problem+json"]] == []


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
    assert fields(openapi, "KeptCorrection") == {"correction", "files", "lines", "left_out", "problems", "waiting"}


@pytest.mark.parametrize(
    ("path", "statuses"),
    [("/read", ("406", "413", "415", "422", "429")), ("/corrections", ("403", "413", "415", "422", "503", "507"))],
)
def test_openapi_names_the_fields_of_a_refusal(openapi, path, statuses):
    assert [answers(openapi, path, "post", status) for status in statuses] == [{"Problem"}] * len(statuses)
    assert fields(openapi, "Problem") == {"type", "title", "status", "detail", "fix"}
    assert fields(openapi, "UnreadPage") == {"name", "page", "problem"}


@pytest.mark.slow
def test_the_service_is_imported_without_torch():
    code = "import sys, text_recognizer.serving.service; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_interface_describes_itself_on_a_page_that_needs_no_other_host(client):
    page = client.get("/docs")
    assert (page.status_code, "connect-src 'self'" in page.headers["content-security-policy"]) == (200, True)
    addresses = re.findall(r"""(?:src|href|url:)\s*[=:]?\s*["'](.+?)["']""", page.text)
    assert len(addresses) == 4
    assert all(address.startswith("/") and client.get(address).status_code == 200 for address in addresses)
