"""An archive arrives whole and checked; whatever goes wrong on the way, what was there before stays."""

import hashlib
import io
import stat
import tarfile
import zipfile

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
pytestmark = pytest.mark.usefixtures("impatient")


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


# --- from IAM's own site


TABLES = {"forms.txt": b"a01-000 000 2\n", "lines.txt": b"a01-000-00 ok 154 1 1 1 1 1 to|be\n"}
LISTS = {f"{name}.txt": b"a01-000-00\n" for name in ("trainset", "validationset1", "validationset2", "testset")}


def tarred(files, kind="w:gz"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=kind) as archive:
        for name, content in files.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if not isinstance(content, tarfile.TarInfo):
                info.size = len(content)
            archive.addfile(info, None if isinstance(content, tarfile.TarInfo) else io.BytesIO(content))
    return stream.getvalue()


PARTS = {
    "DBs/iamDB/data/formsA-D.tgz": tarred({"a01-000.png": b"picture a" * 99}),
    "DBs/iamDB/data/formsE-H.tgz": tarred({"formsE-H/e01-000u.png": b"picture e" * 99}),
    "DBs/iamDB/data/formsI-Z.tgz": tarred({"./m01-000.png": b"picture m" * 99}),
    "DBs/iamDB/data/xml.tgz": tarred({f"xml/{name}.xml": LABELS for name in ("a01-000", "e01-000u", "m01-000")}),
    "DBs/iamDB/data/ascii.tgz": tarred(TABLES),
    "static/zip/largeWriterIndependentTextLineRecognitionTask.zip": zipped(
        {f"largeWriterIndependentTextLineRecognitionTask/{name}": content for name, content in LISTS.items()}
        | {"largeWriterIndependentTextLineRecognitionTask/LargeWriter.txt": b"read me"}
    ),
}


@pytest.fixture
def site(server, monkeypatch):
    """IAM's site in small, and an account on it."""
    server.users["me@here"] = "hunter2"
    monkeypatch.setenv("IAM_USERNAME", "me@here")
    monkeypatch.setenv("IAM_PASSWORD", "hunter2")
    for name, content in PARTS.items():
        server.put(name, content, wants_login=name.startswith("DBs/"))
    return server


MEMBERS = [
    "iamdb/forms/a01-000.png", "iamdb/forms/e01-000u.png", "iamdb/forms/m01-000.png", "iamdb/xml/a01-000.xml",
    "iamdb/xml/e01-000u.xml", "iamdb/xml/m01-000.xml", "iamdb/ascii/forms.txt", "iamdb/ascii/lines.txt",
    "iamdb/task/testset.txt", "iamdb/task/trainset.txt", "iamdb/task/validationset1.txt",
    "iamdb/task/validationset2.txt",
]  # fmt: skip


def test_iam_s_own_parts_become_the_one_zip(get, site, tmp_path, capfd):
    out = get(f"iam:{site.address}")
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == MEMBERS
        assert archive.read("iamdb/forms/e01-000u.png") == b"picture e" * 99
    with IamArchive(out) as iam:
        assert iam.form_ids == ["a01-000", "e01-000u", "m01-000"]
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["iamdb.zip"]
    assert "hunter2" not in "".join([*capfd.readouterr(), *site.log])


def test_the_same_parts_give_the_same_bytes(get, site):
    first = get(f"iam:{site.address}").read_bytes()
    digest = hashlib.sha256(first).hexdigest()
    assert get(f"iam:{site.address}", digest).read_bytes() == first
    with pytest.raises(DataError, match="what was packed has sha256"):
        get(f"iam:{site.address}", "0" * 64)


def test_parts_that_have_come_are_not_fetched_again(get, site):
    site.files["/DBs/iamDB/data/xml.tgz"].status = [503]
    with pytest.raises(DataError, match="repeat to go on"):
        get(f"iam:{site.address}")
    site.files["/DBs/iamDB/data/xml.tgz"].status = [200]
    get(f"iam:{site.address}")
    assert len(site.files["/DBs/iamDB/data/formsA-D.tgz"].asked) == 1


def test_a_password_that_the_site_does_not_take_is_told_and_not_shown(refused, site, monkeypatch):
    monkeypatch.setenv("IAM_PASSWORD", "hunter3")
    what = refused(f"iam:{site.address}", named=site.url("DBs/iamDB/data/formsA-D.tgz"))
    assert "perhaps a login" in what
    assert "hunter" not in what


def test_without_an_account_the_variables_are_named(refused, site, monkeypatch):
    monkeypatch.delenv("IAM_PASSWORD")
    assert "IAM_PASSWORD is not set" in refused(f"iam:{site.address}", named="IAM_PASSWORD")


# --- from a folder, or an archive of another kind


def layouts(folder):
    """The same pages, laid out in every way."""
    for name, content in PARTS.items():
        place = folder / "as downloaded" / name.rpartition("/")[2]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
    loose = {"formsA-D/a01-000.png": b"picture a" * 99, "formsE-H/e01-000u.png": b"picture e" * 99}
    loose |= {"formsI-Z/m01-000.png": b"picture m" * 99} | {f"ascii/{name}": text for name, text in TABLES.items()}
    loose |= {f"xml/{name}.xml": LABELS for name in ("a01-000", "e01-000u", "m01-000")}
    loose |= {f"task/{name}": text for name, text in LISTS.items()} | {"lines/a01/a01-000/a01-000-00.png": b"a line"}
    for name, content in loose.items():
        place = folder / "loose" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (folder / "all.tar").write_bytes(tarred({f"IAM/{name}": content for name, content in loose.items()}, "w"))
    (folder / "all.tgz").write_bytes(tarred({f"IAM/{name}": content for name, content in loose.items()}))


@pytest.mark.parametrize("layout", ["as downloaded", "loose", "all.tar", "all.tgz"])
def test_every_layout_gives_the_same_pages(get, tmp_path, layout):
    (tmp_path / "here").mkdir()
    layouts(tmp_path / "here")
    with zipfile.ZipFile(get(tmp_path / "here" / layout)) as archive:
        assert sorted(archive.namelist()) == sorted(MEMBERS)
        assert archive.read("iamdb/forms/a01-000.png") == b"picture a" * 99
        assert archive.testzip() is None


def test_aachen_s_lists_come_along_from_a_folder(get, tmp_path):
    (tmp_path / "here" / "aachen").mkdir(parents=True)
    layouts(tmp_path / "here")
    for part in ("train", "validation", "test"):
        (tmp_path / "here" / "aachen" / f"{part}.txt").write_text("a01-000\n")
    for other in ("loose", "all.tar", "all.tgz"):
        path = tmp_path / "here" / other
        path.rename(tmp_path / other)
    with IamArchive(get(tmp_path / "here")) as iam:
        assert iam.splits("aachen")["train"] == ["a01-000"]


def test_a_page_that_comes_twice_is_refused(refused, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "one.zip").write_bytes(GOOD)
    (tmp_path / "here" / "two.zip").write_bytes(GOOD)
    assert "the same file of IAM" in refused(tmp_path / "here", named="two.zip")


# --- archives that mean harm


def link(kind, target):
    info = tarfile.TarInfo("forms/a01-000.png")
    info.type, info.linkname = kind, target
    return info


def linked_zip():
    info = zipfile.ZipInfo("iamdb/forms/a01-000.png")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    stream = io.BytesIO(GOOD)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(info.filename.replace("a01-000", "a01-001"), "/etc/passwd")
        info.filename = "iamdb/forms/a01-002.png"
        archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


BOMB = zipped({"forms/a01-000.png": bytes(30 << 20), "xml/a01-000.xml": LABELS})
HARM = {
    "a zip whose names climb out": (
        "x.zip",
        zipped({"../forms/a01-000.png": b"p", "xml/a01-000.xml": LABELS}),
        "leaves",
    ),
    "a zip with an absolute name": ("x.zip", zipped({"/forms/a01-000.png": b"p", "xml/a01-000.xml": LABELS}), "leaves"),
    "a zip with a drive's name": ("x.zip", zipped({"C:\\forms\\a01-000.png": b"p", "xml/a.xml": LABELS}), "leaves"),
    "a zip with a link": ("x.zip", linked_zip(), "is a link"),
    "a zip that swells": ("x.zip", BOMB, "swells beyond"),
    "a tar whose names climb out": ("x.tgz", tarred({"../../a01-000.png": b"p"}), "leaves its folder"),
    "a tar with an absolute name": ("x.tgz", tarred({"/etc/a01-000.png": b"p"}), "leaves its folder"),
    "a tar with a link": ("x.tgz", tarred({"l": link(tarfile.SYMTYPE, "/etc/passwd")}), "is a link"),
    "a tar with a hard link": ("x.tgz", tarred({"l": link(tarfile.LNKTYPE, "/etc/passwd")}), "is a link"),
    "a tar with a device": ("x.tgz", tarred({"l": link(tarfile.CHRTYPE, "")}), "is a link or a device"),
    "a tar that swells": ("x.tgz", tarred({"forms/a01-000.png": bytes(30 << 20)}), "swells beyond"),
    "a tar that is cut": ("x.tgz", tarred({"a01-000.png": bytes(range(256)) * 999})[:-700], "is damaged"),
    "a tar that is none": ("x.tgz", b"not a tar at all", "is damaged, or no archive"),
}


@pytest.mark.parametrize(("name", "content", "what"), HARM.values(), ids=HARM.keys())
@pytest.mark.parametrize("in_folder", [False, True])
def test_an_archive_that_means_harm_is_refused(refused, tmp_path, name, content, what, in_folder):
    place = tmp_path / "here" / name
    place.parent.mkdir()
    place.write_bytes(content)
    assert what in refused(place.parent if in_folder else place, named=name)
    assert {path.name for path in tmp_path.iterdir()} == {"here", "raw"}


def test_a_link_in_a_folder_is_refused(refused, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a01-000.png").symlink_to("/etc/passwd")
    assert "is a link" in refused(tmp_path / "here", named="a01-000.png")


def test_too_many_files_are_refused(refused, saved, monkeypatch):
    monkeypatch.setattr("text_recognizer.data.repack.MOST_MEMBERS", 1)
    assert "more than 1 files" in refused(saved(GOOD))


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
