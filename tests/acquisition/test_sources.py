"""Fetching an archive: it arrives complete and checked, and after any error the old archive is kept."""

import hashlib

import pytest
from tests.acquisition.archives import GOOD, OLD, zipped
from tests.sources import entry_of

from text_recognizer.acquisition.download import IncompleteDownloadError
from text_recognizer.acquisition.sources import FSDL_SHA256, fetch
from text_recognizer.core.errors import ConnectionFailedError, DataError
from text_recognizer.corpora.iam import IamArchive

PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
pytestmark = pytest.mark.usefixtures("no_wait")


def damaged(position, value):
    content = bytearray(GOOD)
    content[position] = value
    return bytes(content)


# --- from a path


def test_a_file_is_copied_as_it_is_and_stays_where_it_was(fetched, saved):
    source = saved(GOOD)

    assert fetched(source).read_bytes() == GOOD
    assert source.read_bytes() == GOOD


def test_a_file_may_be_named_as_a_url(fetched, saved):
    assert fetched(saved(GOOD).as_uri()).read_bytes() == GOOD


def test_only_the_archive_is_left_in_its_folder(fetched, saved):
    out = fetched(saved(GOOD))

    assert list(out.parent.iterdir()) == [out]


def test_the_folder_of_the_archive_is_made(tmp_path, saved, params):
    entry = entry_of(saved(GOOD))
    out = tmp_path / "data" / "raw" / "iamdb.zip"
    fetch(entry, params.synthetic, out)

    assert out.read_bytes() == GOOD


def test_the_right_digest_is_accepted(fetched, saved):
    assert fetched(saved(GOOD), hashlib.sha256(GOOD).hexdigest()).read_bytes() == GOOD


def test_a_wrong_digest_is_refused_and_both_are_named(refusal, saved):
    what = refusal(saved(GOOD), "0" * 64)

    assert hashlib.sha256(GOOD).hexdigest() in what
    assert "0" * 64 in what


def test_a_missing_source_is_refused(refusal, tmp_path):
    refusal(tmp_path / "none.zip")


def test_a_folder_without_pages_is_refused(refusal, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "forms/" in refusal(tmp_path / "empty")


@pytest.mark.parametrize("source", ["gopher://example/iamdb.zip", "http://", "http://[::1"])
def test_an_address_that_is_not_valid_is_refused(refusal, source):
    refusal(source)


DIRECTORY = GOOD.index(b"PK\x01\x02")
FIRST_DATA = 30 + len("iamdb/forms/a01-000.png")
# By what is wrong with a file: its content, and a word of the reason.
BAD_FILES = {
    "empty": (b"", "is empty"),
    "a web page": (PAGE, "is a web page"),
    "a web page after blank lines": (b"\xef\xbb\xbf\r\n\n " + PAGE.lower(), "is a web page"),
    "text": (b"404 not found", "not a zip"),
    "the first half": (GOOD[: len(GOOD) // 2], "is cut short"),
    "without its last bytes": (GOOD[:-8], "is cut short"),
    "a changed byte in the packed data": (damaged(FIRST_DATA, 0xFF), "is damaged"),
    "a changed byte in the checksum": (damaged(DIRECTORY + 16, GOOD[DIRECTORY + 16] ^ 1), "checksum"),
    "a changed byte in the directory": (damaged(DIRECTORY, 0), "is damaged"),
    "an unknown version": (damaged(DIRECTORY + 6, 255), "is damaged"),
    "an unknown compression method": (damaged(DIRECTORY + 10, 9), "is damaged"),
    "not the layout of IAM": (zipped({"holiday/beach.jpg": b"sand"}), "forms/"),
}


@pytest.mark.parametrize(("content", "what"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_with_the_reason(refusal, saved, content, what):
    assert what in refusal(saved(content))


# --- from a server


@pytest.mark.parametrize("options", [{}, {"sized": False}, {"cut": [100, 200, None]}])
def test_an_archive_is_downloaded_from_a_server(fetched, server, options):
    server.put("iamdb.zip", GOOD, **options)
    assert fetched(server.url("iamdb.zip"), hashlib.sha256(GOOD).hexdigest()).read_bytes() == GOOD


def test_an_archive_that_is_longer_than_its_declared_length_is_a_temporary_failure(refusal, server):
    server.put("iamdb.zip", GOOD, claim=-100)
    refusal(server.url("iamdb.zip"), kind=ConnectionFailedError)


def test_an_archive_that_is_cut_short_is_a_temporary_failure(refusal, server):
    server.put("iamdb.zip", GOOD, cut=[len(GOOD) // 2], etag=None)
    refusal(server.url("iamdb.zip"), kind=IncompleteDownloadError)


def test_a_cut_without_a_declared_length_is_found_in_the_archive(refusal, server):
    server.put("iamdb.zip", GOOD, cut=[len(GOOD) // 2], sized=False)
    refusal(server.url("iamdb.zip"), kind=ConnectionFailedError)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, DataError), (404, ConnectionFailedError), (500, IncompleteDownloadError)]
)
def test_the_refusal_of_a_server_is_an_error_with_its_status(refusal, server, status, kind):
    server.put("iamdb.zip", GOOD, status=[status])
    assert str(status) in refusal(server.url("iamdb.zip"), kind=kind).split(": ", 1)[1]


def test_a_login_page_in_place_of_an_archive_is_refused(refusal, server):
    server.put("iamdb.zip", PAGE)
    assert "web page" in refusal(server.url("iamdb.zip"))


def test_a_wrong_digest_from_a_server_is_refused(refusal, server):
    server.put("iamdb.zip", GOOD)
    assert "0" * 64 in refusal(server.url("iamdb.zip"), "0" * 64)


def test_a_failed_run_is_resumed_by_the_next(fetched, server, tmp_path):
    file = server.put("iamdb.zip", GOOD, cut=[300, 0])
    with pytest.raises(IncompleteDownloadError):
        fetched(server.url("iamdb.zip"))
    assert (tmp_path / "raw" / "iamdb.zip").read_bytes() == OLD
    file.cut, file.ranges_asked = [None], []
    assert fetched(server.url("iamdb.zip")).read_bytes() == GOOD
    assert file.ranges_asked == ["bytes=300-"]
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["iamdb.zip"]


def test_the_partial_download_of_another_source_is_removed(fetched, server, saved, tmp_path):
    server.put("iamdb.zip", GOOD, cut=[300, 0])
    with pytest.raises(IncompleteDownloadError):
        fetched(server.url("iamdb.zip"))
    fetched(saved(GOOD))
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["iamdb.zip"]


@pytest.mark.slow
def test_an_archive_is_downloaded_from_s3(fetched, s3):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="iamdb.zip", Body=GOOD)
    assert fetched(f"s3://{bucket}/iamdb.zip", hashlib.sha256(GOOD).hexdigest()).read_bytes() == GOOD


def test_the_archive_of_the_mirror_must_have_its_known_digest(refusal, server, monkeypatch):
    server.put("iamdb.zip", GOOD)
    monkeypatch.setattr("text_recognizer.acquisition.sources.FSDL_ADDRESS", server.url("iamdb.zip"))
    assert FSDL_SHA256 in refusal("fsdl", named=server.url("iamdb.zip"))


# --- the built-in sample


def test_the_synthetic_sample_is_the_same_each_time(fetched):
    first = fetched("synthetic").read_bytes()

    assert fetched("synthetic").read_bytes() == first != OLD


def test_another_seed_gives_another_synthetic_sample(fetched):
    first = fetched("synthetic").read_bytes()

    assert fetched("synthetic", seed=2).read_bytes() != first


def test_the_synthetic_sample_has_as_many_forms_as_requested(fetched):
    with IamArchive(fetched("synthetic")) as archive:
        assert {split: len(ids) for split, ids in archive.splits("lwitlrt").items()} == {
            "train": 2,
            "validation": 2,
            "test": 1,
        }


def test_a_digest_for_the_synthetic_sample_is_refused(refusal):
    assert "synthetic" in refusal("synthetic", "0" * 64, named="sha256")
