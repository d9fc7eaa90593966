"""A web server and an S3 server on this computer, that behave as badly as they are told to."""

import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.data.archives import OLD

from text_recognizer.config import DataSection, SyntheticSection
from text_recognizer.data.fetch import fetch
from text_recognizer.errors import DataError

SMALL = {
    "seed": 1, "train_forms": 2, "validation_forms": 2, "test_forms": 1, "forms_per_writer": 1, "page_width": 1000,
    "page_height": 700, "lines_min": 1, "lines_max": 1, "dpi": 75, "workers": 1,
}  # fmt: skip
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


@dataclass
class Served:
    """One file, and how it is served: each list is used up request by request, its last entry stays.

    `cut` bytes of the body are sent, None is all; `status` refuses; `claim` is added to the length that is claimed.
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
    asked: list = field(default_factory=list)  # the header Range of each request


class Server:
    """`files` by path; `users` may sign in at `/login`."""

    def __init__(self):
        self.files: dict[str, Served] = {}
        self.users: dict[str, str] = {}
        self.log: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.site = self
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def put(self, name, body, **how) -> Served:
        self.files[f"/{name}"] = Served(body, **how)
        return self.files[f"/{name}"]

    def url(self, name):
        return f"{self.address}/{name}"


class Handler(BaseHTTPRequestHandler):
    """Serves the files of the Server that `self.server.site` is."""

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
        file.asked.append(self.headers.get("Range"))
        status = file.status.pop(0) if len(file.status) > 1 else file.status[0]
        if status != 200:
            self.head(status, {"Content-Length": 0, **file.headers})
            return
        start = self.start_of(file)
        length = len(file.body)
        says = {
            "Content-Type": file.kind,
            "Content-Range": f"bytes {start}-{length - 1}/{length}" if start else None,
            "ETag": file.etag,
            "Content-Length": length - start + file.claim if file.sized else None,
        }
        self.head(206 if start else 200, says)
        most = file.cut.pop(0) if len(file.cut) > 1 else file.cut[0]
        self.wfile.write(file.body[start:] if most is None else file.body[start : start + most])

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
def impatient(monkeypatch):
    """Tries again at once."""
    monkeypatch.setattr("text_recognizer.data.download.FIRST_WAIT", 0.001)


@pytest.fixture(scope="session")
def bucket():
    """A bucket on a real S3 server, as a boto3 client and its name; the environment must then hold its address."""
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
