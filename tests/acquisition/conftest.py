"""A web server and an S3 server on this computer that fail as the tests ask."""

import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.acquisition.archives import OLD
from tests.sources import entry_of

from text_recognizer.acquisition.sources import fetch
from text_recognizer.core.errors import DataError
from text_recognizer.core.params import SyntheticSection

SMALL = {
    "seed": 1, "train_forms": 2, "validation_forms": 2, "test_forms": 1, "forms_per_writer": 1, "page_width": 1000,
    "page_height": 700, "lines_min": 1, "lines_max": 1, "dpi": 75,
}  # fmt: skip
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


@dataclass
class Served:
    """A file, and how it is served. Each request takes the first entry of each list; the last entry stays.

    `cut` is how many bytes of the body are sent (None: all), `status` the HTTP status, and `claim` is added to the
    Content-Length. `ranges_asked` records the header Range of each request.
    """

    body: bytes
    etag: str | None = '"1"'
    ranges: bool = True
    sized: bool = True
    claim: int = 0
    kind: str = "application/zip"
    wants_login: bool = False
    cut: list = field(default_factory=lambda: [None])
    status: list = field(default_factory=lambda: [200])
    headers: dict = field(default_factory=dict)
    ranges_asked: list = field(default_factory=list)


class Server:
    """A web server. `files` are by path; `users` (name to password) may sign in at `/login`."""

    def __init__(self):
        self.files: dict[str, Served] = {}
        self.users: dict[str, str] = {}
        self.log: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.site = self
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def put(self, name, body, **options) -> Served:
        self.files[f"/{name}"] = Served(body, **options)
        return self.files[f"/{name}"]

    def url(self, name):
        return f"{self.address}/{name}"


class Handler(BaseHTTPRequestHandler):
    """Serve the files of `self.server.site`, a Server."""

    def do_GET(self):
        file = self.server.site.files.get(self.path.partition("?")[0])
        if file is None:
            self.send_error(404)
        elif file.wants_login and "session=open" not in self.headers.get("Cookie", ""):
            self.page()
        else:
            self.serve(file)

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = self.server.site.users.get(form.get("email", [""])[0]) == form.get("password", [""])[0]
        self.page(**({"Set-Cookie": "session=open; Path=/"} if known else {}))

    def page(self, **headers):
        self.head(200, {"Content-Type": "text/html", "Content-Length": len(PAGE), **headers})
        self.wfile.write(PAGE)

    def serve(self, file):
        file.ranges_asked.append(self.headers.get("Range"))
        status = file.status.pop(0) if len(file.status) > 1 else file.status[0]
        if status != 200:
            self.head(status, {"Content-Length": 0, **file.headers})
            return
        start = self.start_of(file)
        length = len(file.body)
        headers = {
            "Content-Type": file.kind,
            "Content-Range": f"bytes {start}-{length - 1}/{length}" if start else None,
            "ETag": file.etag,
            "Content-Length": length - start + file.claim if file.sized else None,
        }
        self.head(206 if start else 200, headers)
        cut = file.cut.pop(0) if len(file.cut) > 1 else file.cut[0]
        self.wfile.write(file.body[start:] if cut is None else file.body[start : start + cut])

    def start_of(self, file):
        wanted = self.headers.get("Range")
        if wanted and file.ranges and self.headers.get("If-Range") in (None, file.etag):
            return int(wanted.removeprefix("bytes=").rstrip("-"))
        return 0

    def head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *parts):
        self.server.site.log.append(str(parts))


@pytest.fixture
def server():
    served = Server()
    thread = threading.Thread(target=served.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield served
    served.http.shutdown()
    served.http.server_close()
    thread.join()


@pytest.fixture
def no_wait(monkeypatch):
    """Do not wait between the tries of a download."""
    monkeypatch.setattr("text_recognizer.acquisition.download.FIRST_WAIT", 0.001)


@pytest.fixture(scope="session")
def bucket():
    """Start an S3 server; give a boto3 client, the name of a bucket, and the address of the server."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "tester", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    client.create_bucket(Bucket="pages")
    yield client, "pages", f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(bucket, monkeypatch):
    """Set the environment for the S3 server; give a boto3 client and the name of a bucket."""
    client, name, address = bucket
    for variable, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(variable, value)
    return client, name


@pytest.fixture
def fetched(tmp_path):
    """Fetch a source to a path that holds an old archive; return the path."""
    out = tmp_path / "raw" / "iamdb.zip"
    out.parent.mkdir()
    out.write_bytes(OLD)

    def run(source, sha256=None, **changes):
        entry = entry_of(source, sha256=sha256)
        fetch(entry, SyntheticSection(**(SMALL | changes)), out, workers=1)
        return out

    return run


@pytest.fixture
def refusal(fetched, tmp_path):
    """Fetch what must be refused with exactly this type of error; return the message.

    Only the old archive may be left, and the message must name the source.
    """

    def error(source, sha256=None, named=None, kind=DataError):
        with pytest.raises(kind) as caught:
            fetched(source, sha256)
        assert caught.type is kind
        assert [(path.name, path.read_bytes()) for path in (tmp_path / "raw").iterdir()] == [("iamdb.zip", OLD)]
        assert (named or str(source)) in caught.value.what
        assert "\n" not in caught.value.what
        assert caught.value.fix
        return caught.value.what

    return error


@pytest.fixture
def saved(tmp_path):
    """Write a file elsewhere; return its path."""

    def path(content):
        (tmp_path / "download.zip").write_bytes(content)
        return tmp_path / "download.zip"

    return path
