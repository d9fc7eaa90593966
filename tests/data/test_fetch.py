"""An archive arrives whole and checked; whatever goes wrong on the way, what was there before stays."""

import hashlib

import pytest
from tests.data.archives import GOOD, OLD, zipped

from text_recognizer.config import DataSection, SyntheticSection
from text_recognizer.data.fetch import fetch
from text_recognizer.data.iam import IamArchive
from text_recognizer.errors import DataError

SMALL = {
    "seed": 1, "train_forms": 2, "validation_forms": 2, "test_forms": 1, "forms_per_writer": 1, "page_width": 1000,
    "page_height": 700, "lines_min": 1, "lines_max": 1, "dpi": 75, "workers": 1,
}  # fmt: skip
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
pytestmark = pytest.mark.usefixtures("impatient")


def damaged(position, value):
    content = bytearray(GOOD)
    content[position] = value
    return bytes(content)


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


def test_a_folder_without_pages_is_refused(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "holds no forms/ and xml/" in refused(tmp_path / "empty")


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


@pytest.mark.parametrize("how", [{}, {"sized": False}, {"cut": [100, 200, None]}])
def test_an_archive_comes_from_a_server(get, server, how):
    server.put("iamdb.zip", GOOD, **how)
    assert get(server.url("iamdb.zip"), hashlib.sha256(GOOD).hexdigest()).read_bytes() == GOOD


def test_one_that_claims_less_than_it_has_is_refused(refused, server):
    server.put("iamdb.zip", GOOD, claim=-100)
    assert "is cut short" in refused(server.url("iamdb.zip"))


def test_a_body_that_is_cut_short_is_refused(refused, server):
    server.put("iamdb.zip", GOOD, cut=[len(GOOD) // 2], etag=None)
    assert "cannot be fetched" in refused(server.url("iamdb.zip"))


def test_a_cut_that_nobody_can_see_is_found_in_the_archive(refused, server):
    server.put("iamdb.zip", GOOD, cut=[len(GOOD) // 2], sized=False)
    assert "is cut short" in refused(server.url("iamdb.zip"))


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_s_refusal_gives_its_status(refused, server, status):
    server.put("iamdb.zip", GOOD, status=[status])
    assert str(status) in refused(server.url("iamdb.zip")).split(": ", 1)[1]


def test_a_login_page_in_the_place_of_an_archive_is_refused(refused, server):
    server.put("iamdb.zip", PAGE)
    assert "is a web page" in refused(server.url("iamdb.zip"))


def test_a_wrong_digest_from_a_server_is_refused(refused, server):
    server.put("iamdb.zip", GOOD)
    assert "is asked for" in refused(server.url("iamdb.zip"), "0" * 64)


def test_a_run_that_failed_is_gone_on_from_by_the_next(get, server, tmp_path):
    file = server.put("iamdb.zip", GOOD, cut=[300, 0])
    with pytest.raises(DataError, match="repeat to go on"):
        get(server.url("iamdb.zip"))
    assert (tmp_path / "raw" / "iamdb.zip").read_bytes() == OLD
    file.cut, file.asked = [None], []
    assert get(server.url("iamdb.zip")).read_bytes() == GOOD
    assert file.asked == ["bytes=300-"]
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["iamdb.zip"]


def test_what_one_source_left_does_not_outlive_the_next(get, server, saved, tmp_path):
    server.put("iamdb.zip", GOOD, cut=[300, 0])
    with pytest.raises(DataError):
        get(server.url("iamdb.zip"))
    get(saved(GOOD))
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["iamdb.zip"]


def test_an_archive_comes_from_s3(get, s3):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="iamdb.zip", Body=GOOD)
    assert get(f"s3://{bucket}/iamdb.zip", hashlib.sha256(GOOD).hexdigest()).read_bytes() == GOOD


def test_the_mirror_s_digest_is_known(refused, server, monkeypatch):
    server.put("iamdb.zip", GOOD)
    monkeypatch.setattr("text_recognizer.data.fetch.FSDL_ADDRESS", server.url("iamdb.zip"))
    assert "f3c9e87a88a3" in refused("fsdl", named=server.url("iamdb.zip"))


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
