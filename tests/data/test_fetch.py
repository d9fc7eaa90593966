"""An archive arrives whole and checked; whatever goes wrong on the way, what was there before stays."""

import hashlib
import io
import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from text_recognizer.config import DataSection, SyntheticSection
from text_recognizer.data.fetch import fetch
from text_recognizer.data.iam import IamArchive
from text_recognizer.errors import DataError

SMALL = {
    "seed": 1, "train_forms": 2, "validation_forms": 2, "test_forms": 1, "forms_per_writer": 1, "page_width": 1000,
    "page_height": 700, "lines_min": 1, "lines_max": 1, "dpi": 75, "workers": 1,
}  # fmt: skip
LABELS = b'<form id="a01-000" writer-id="000" width="400" height="300"/>'
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
OLD = b"what was there before"


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


GOOD = zipped({"iamdb/forms/a01-000.png": bytes(range(256)) * 40, "iamdb/xml/a01-000.xml": LABELS})


def damaged(position, value):
    content = bytearray(GOOD)
    content[position] = value
    return bytes(content)


class Answers(BaseHTTPRequestHandler):
    """`/good` and `/unsized` give the archive, `/cut` half of it, `/login` a web page, and a number that status."""

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        name = self.path.strip("/")
        if name.isdigit():
            self.send_error(int(name))
            return
        body = PAGE if name == "login" else GOOD
        self.send_response(200)
        if name != "unsized":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if name == "cut" else body)

    def log_message(self, *_):
        """The test's output is not the server's log."""


@pytest.fixture(scope="module")
def server():
    """The address of a real server on this computer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.fixture
def get(tmp_path):
    """Fetches a source to its place, where an old file lies, and gives that place."""
    out = tmp_path / "raw" / "iamdb.zip"
    out.parent.mkdir()
    out.write_bytes(OLD)

    def got(source, sha256=None, **changes):
        data = DataSection(source=str(source), sha256=sha256, split="lwitlrt", exclude=())
        fetch(data, SyntheticSection(**(SMALL | changes)), out)
        return out

    return got


@pytest.fixture
def refused(get, tmp_path):
    """Fetches what must be refused; gives the error, after a look that the old file alone is there."""

    def error(source, sha256=None, named=None):
        with pytest.raises(DataError) as caught:
            get(source, sha256)
        assert [(path.name, path.read_bytes()) for path in (tmp_path / "raw").iterdir()] == [("iamdb.zip", OLD)]
        assert (named or str(source)) in caught.value.what
        assert "\n" not in caught.value.what
        assert caught.value.fix
        return caught.value.what

    return error


@pytest.fixture
def saved(tmp_path):
    """Writes a file elsewhere and gives its path."""

    def path(content):
        (tmp_path / "download.zip").write_bytes(content)
        return tmp_path / "download.zip"

    return path


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- from a path


def test_a_file_is_copied_as_it_is_and_stays_where_it_was(get, saved):
    source = saved(GOOD)

    assert get(source).read_bytes() == GOOD
    assert source.read_bytes() == GOOD


def test_a_file_may_be_named_as_a_url(get, saved):
    assert get(saved(GOOD).as_uri()).read_bytes() == GOOD


def test_only_the_archive_is_left_at_its_place(get, saved):
    out = get(saved(GOOD))

    assert list(out.parent.iterdir()) == [out]


def test_the_folder_of_the_archive_is_made(tmp_path, saved):
    data = DataSection(source=str(saved(GOOD)), sha256=None, split="lwitlrt", exclude=())
    out = tmp_path / "data" / "raw" / "iamdb.zip"
    fetch(data, SyntheticSection(**SMALL), out)

    assert out.read_bytes() == GOOD


def test_the_right_digest_is_accepted(get, saved):
    assert get(saved(GOOD), hashlib.sha256(GOOD).hexdigest()).read_bytes() == GOOD


def test_a_wrong_digest_is_refused_and_both_are_named(refused, saved):
    what = refused(saved(GOOD), "0" * 64)

    assert hashlib.sha256(GOOD).hexdigest() in what
    assert "0" * 64 in what


def test_a_source_that_is_not_there_is_refused(refused, tmp_path):
    assert "there is no" in refused(tmp_path / "none.zip")


def test_a_folder_is_refused(refused, tmp_path):
    assert "cannot be fetched" in refused(tmp_path)


@pytest.mark.parametrize("source", ["gopher://example/iamdb.zip", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused(refused, source):
    refused(source)


DIRECTORY = GOOD.index(b"PK\x01\x02")
FIRST_DATA = 30 + len("iamdb/forms/a01-000.png")
BAD_FILES = {
    "empty": (b"", "is empty"),
    "a web page": (PAGE, "is a web page"),
    "a web page after blank lines": (b"\xef\xbb\xbf\r\n\n " + PAGE.lower(), "is a web page"),
    "text": (b"404 not found", "is not a zip archive"),
    "the first half": (GOOD[: len(GOOD) // 2], "is cut short"),
    "without its last bytes": (GOOD[:-8], "is cut short"),
    "a changed byte in the packed data": (damaged(FIRST_DATA, 0xFF), "is damaged"),
    "a changed byte in the checksum": (damaged(DIRECTORY + 16, GOOD[DIRECTORY + 16] ^ 1), "fails its checksum"),
    "a changed byte in the directory": (damaged(DIRECTORY, 0), "is damaged: Bad magic number"),
    "a version that is not known": (damaged(DIRECTORY + 6, 255), "is damaged: zip file version"),
    "a method that is not known": (damaged(DIRECTORY + 10, 9), "is damaged: That compression method"),
    "no layout of IAM": (zipped({"holiday/beach.jpg": b"sand"}), "holds no forms/ and xml/ folders"),
}


@pytest.mark.parametrize(("content", "what"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_for_what_it_is(refused, saved, content, what):
    assert what in refused(saved(content))


# --- from a server


@pytest.mark.parametrize("name", ["good", "unsized"])
def test_an_archive_comes_from_a_server(get, server, name):
    assert get(f"{server}/{name}").read_bytes() == GOOD


def test_a_body_that_is_cut_short_is_refused(refused, server):
    assert "cannot be fetched" in refused(f"{server}/cut")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_s_refusal_gives_its_status(refused, server, status):
    assert str(status) in refused(f"{server}/{status}").split(": ", 1)[1]


def test_a_login_page_in_the_place_of_an_archive_is_refused(refused, server):
    assert "is a web page" in refused(f"{server}/login")


def test_a_wrong_digest_from_a_server_is_refused(refused, server):
    assert "asks for" in refused(f"{server}/good", "0" * 64)


def test_a_refused_connection_is_told_from_a_missing_file(refused):
    assert "Cannot connect" in refused(f"http://127.0.0.1:{unused_port()}/iamdb.zip")


# --- the built-in sample


def test_the_sample_is_the_same_each_time(get):
    first = get("synthetic").read_bytes()

    assert get("synthetic").read_bytes() == first != OLD


def test_another_seed_gives_another_sample(get):
    first = get("synthetic").read_bytes()

    assert get("synthetic", seed=2).read_bytes() != first


def test_the_sample_has_the_forms_that_are_asked_for(get):
    with IamArchive(get("synthetic")) as archive:
        assert {split: len(ids) for split, ids in archive.splits("lwitlrt").items()} == {
            "train": 2,
            "validation": 2,
            "test": 1,
        }


def test_a_digest_for_the_sample_is_refused(refused):
    assert "is 'synthetic'" in refused("synthetic", "0" * 64, named="data.sha256")
