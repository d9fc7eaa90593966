"""Downloading from behind a login, from S3 and from paths, without showing a user or a password."""

import hashlib
import http.server
import threading

import pytest
from tests.acquisition.downloads import BODY, failure, names_beside

from text_recognizer.acquisition.download import PartialDownload, download
from text_recognizer.acquisition.transfer import Login, login_from_environment, redact_address, source_for
from text_recognizer.core.errors import ConnectionFailedError, DataError

pytestmark = pytest.mark.usefixtures("no_wait")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "down" / "file.zip"


# --- logins


def test_a_login_is_kept_for_later_requests(server, out):
    server.users["me@here"] = "se+cret&1"
    server.put("file.zip", BODY, wants_login=True, cut=[100_000, None])
    download(server.url("file.zip"), out, login=Login(server.url("login"), "me@here", "se+cret&1"))
    assert out.read_bytes() == BODY


def test_a_wrong_password_is_an_error_that_does_not_show_it(server, out, capfd):
    server.users["me@here"] = "right"
    server.put("file.zip", BODY, wants_login=True)
    login = Login(server.url("login"), "me@here", "hunter2")
    error = failure(server.url("file.zip"), out, login=login)
    assert "a login" in error.what
    shown = "".join([str(error), repr(login), *capfd.readouterr(), *server.log])
    assert "hunter2" not in shown


def test_a_login_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.setenv("SITE_USER", "me")
    monkeypatch.delenv("SITE_PASSWORD", raising=False)
    with pytest.raises(DataError, match="SITE_PASSWORD"):
        login_from_environment("http://here/login", "SITE_USER", "SITE_PASSWORD")
    monkeypatch.setenv("SITE_PASSWORD", "secret")
    assert login_from_environment("http://here/login", "SITE_USER", "SITE_PASSWORD").password == "secret"


def test_a_user_and_password_in_an_address_are_sent_and_not_shown(out):
    received = []

    class Guarded(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            received.append(self.headers.get("Authorization"))
            self.send_error(403)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Guarded) as guarded:
        threading.Thread(target=guarded.handle_request, daemon=True).start()
        address = f"http://me:hunter2@127.0.0.1:{guarded.server_port}/file.zip?token=hunter3"
        error = failure(address, out)
    assert received == ["Basic bWU6aHVudGVyMg=="]
    assert "hunter" not in str(error)


def test_credentials_and_signatures_are_removed_from_an_address():
    assert redact_address("https://me:pw@host:8/a/b.zip?sig=1") == "https://host:8/a/b.zip"
    assert redact_address("/data/a?b.zip") == "/data/a?b.zip"


# --- S3, and files


def test_a_file_is_downloaded_from_s3(s3, out):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="in/file.zip", Body=BODY)
    download(f"s3://{bucket}/in/file.zip", out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert out.read_bytes() == BODY
    assert names_beside(out) == ["file.zip"]


@pytest.mark.parametrize(("key", "kind"), [("none.zip", ConnectionFailedError), ("in", DataError)])
def test_a_missing_object_may_appear_later_and_a_folder_is_refused(s3, out, key, kind):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="in/file.zip", Body=BODY)
    failure(f"s3://{bucket}/{key}", out, kind)
    assert names_beside(out) == []


@pytest.mark.parametrize("changed", [False, True])
def test_a_download_from_s3_resumes_if_the_object_is_the_same(s3, out, changed):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="rest.zip", Body=BODY)
    address = f"s3://{bucket}/rest.zip"
    # The first part has arrived, as after an interruption.
    source = source_for(address)
    partial = PartialDownload.beside(out, address)
    partial.begin(source.open(0, None).tag)
    partial.body.write_bytes(b"y" + BODY[1:100_000])
    if changed:
        client.put_object(Bucket=bucket, Key="rest.zip", Body=BODY[::-1])
    download(address, out)
    # The first part is kept unless the object is another.
    assert out.read_bytes() == (BODY[::-1] if changed else b"y" + BODY[1:])


def test_s3_without_credentials_is_an_error(s3, out, monkeypatch, tmp_path):
    _, bucket = s3
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    failure(f"s3://{bucket}/secret.zip", out, ConnectionFailedError)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("as_url", [False, True])
def test_a_file_is_copied_from_a_path_or_its_url(tmp_path, out, as_url):
    source = tmp_path / "a b.zip"
    source.write_bytes(BODY)
    download(source.as_uri().replace("%20", " ") if as_url else str(source), out)
    assert out.read_bytes() == BODY


@pytest.mark.parametrize("address", ["gopher://x/file.zip", "http://", "http://[::1", "/no/such/file.zip"])
def test_an_address_that_is_not_valid_is_a_permanent_error(out, address):
    failure(address, out)
    assert names_beside(out) == []
