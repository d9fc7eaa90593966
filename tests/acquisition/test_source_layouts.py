"""The parts of IAM, folders and tars are packed into one zip, and unsafe archives are refused."""

import hashlib
import io
import stat
import tarfile
import zipfile

import pytest
from tests.acquisition.archives import GOOD, LABELS, zipped

from text_recognizer.acquisition.download import IncompleteDownloadError
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.iam import IamArchive

pytestmark = pytest.mark.usefixtures("no_wait")


# --- from the site of IAM

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
    """A small copy of the site of IAM, and the login of a user."""
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


def test_the_parts_of_iam_are_packed_into_one_zip(fetched, site, tmp_path, capfd):
    out = fetched(f"iam:{site.address}")
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == MEMBERS
        assert archive.read("iamdb/forms/e01-000u.png") == b"picture e" * 99
    with IamArchive(out) as iam:
        assert iam.form_ids == ["a01-000", "e01-000u", "m01-000"]
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["iamdb.zip"]
    assert "hunter2" not in "".join([*capfd.readouterr(), *site.log])


def test_the_same_parts_give_the_same_bytes(fetched, site):
    first = fetched(f"iam:{site.address}").read_bytes()
    digest = hashlib.sha256(first).hexdigest()
    assert fetched(f"iam:{site.address}", digest).read_bytes() == first
    with pytest.raises(DataError, match=digest):
        fetched(f"iam:{site.address}", "0" * 64)


def test_parts_that_have_arrived_are_not_fetched_again(fetched, site):
    site.files["/DBs/iamDB/data/xml.tgz"].status = [503]
    with pytest.raises(IncompleteDownloadError):
        fetched(f"iam:{site.address}")
    site.files["/DBs/iamDB/data/xml.tgz"].status = [200]
    fetched(f"iam:{site.address}")
    assert len(site.files["/DBs/iamDB/data/formsA-D.tgz"].ranges_asked) == 1


def test_a_rejected_password_is_an_error_that_does_not_show_it(refusal, site, monkeypatch):
    monkeypatch.setenv("IAM_PASSWORD", "hunter3")
    what = refusal(f"iam:{site.address}", named=site.url("DBs/iamDB/data/formsA-D.tgz"))
    assert "login" in what
    assert "hunter" not in what


def test_a_missing_login_is_refused_with_the_variable(refusal, site, monkeypatch):
    monkeypatch.delenv("IAM_PASSWORD")
    refusal(f"iam:{site.address}", named="IAM_PASSWORD")


# --- from a folder, or an archive of another kind


def layouts(folder):
    """Write the same pages in every layout."""
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
def test_every_layout_gives_the_same_pages(fetched, tmp_path, layout):
    (tmp_path / "here").mkdir()
    layouts(tmp_path / "here")
    with zipfile.ZipFile(fetched(tmp_path / "here" / layout)) as archive:
        assert sorted(archive.namelist()) == sorted(MEMBERS)
        assert archive.read("iamdb/forms/a01-000.png") == b"picture a" * 99
        assert archive.testzip() is None


def test_the_lists_of_the_aachen_split_are_packed_from_a_folder(fetched, tmp_path):
    (tmp_path / "here" / "aachen").mkdir(parents=True)
    layouts(tmp_path / "here")
    for part in ("train", "validation", "test"):
        (tmp_path / "here" / "aachen" / f"{part}.txt").write_text("a01-000\n")
    for other in ("loose", "all.tar", "all.tgz"):
        path = tmp_path / "here" / other
        path.rename(tmp_path / other)
    with IamArchive(fetched(tmp_path / "here")) as iam:
        assert iam.splits("aachen")["train"] == ["a01-000"]


def test_a_page_that_occurs_twice_is_refused(refusal, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "one.zip").write_bytes(GOOD)
    (tmp_path / "here" / "two.zip").write_bytes(GOOD)
    assert "a01-000" in refusal(tmp_path / "here", named="two.zip")


# --- unsafe archives


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
# By what is unsafe: the name and the content of an archive, and a word of the reason.
UNSAFE = {
    "a zip whose names leave the folder": (
        "x.zip",
        zipped({"../forms/a01-000.png": b"p", "xml/a01-000.xml": LABELS}),
        "leaves",
    ),
    "a zip with an absolute name": ("x.zip", zipped({"/forms/a01-000.png": b"p", "xml/a01-000.xml": LABELS}), "leaves"),
    "a zip with a drive's name": ("x.zip", zipped({"C:\\forms\\a01-000.png": b"p", "xml/a.xml": LABELS}), "leaves"),
    "a zip with a link": ("x.zip", linked_zip(), "is a link"),
    "a zip bomb": ("x.zip", BOMB, "unpacks to more"),
    "a tar whose names leave the folder": ("x.tgz", tarred({"../../a01-000.png": b"p"}), "leaves its folder"),
    "a tar with an absolute name": ("x.tgz", tarred({"/etc/a01-000.png": b"p"}), "leaves its folder"),
    "a tar with a link": ("x.tgz", tarred({"l": link(tarfile.SYMTYPE, "/etc/passwd")}), "is a link"),
    "a tar with a hard link": ("x.tgz", tarred({"l": link(tarfile.LNKTYPE, "/etc/passwd")}), "is a link"),
    "a tar with a device": ("x.tgz", tarred({"l": link(tarfile.CHRTYPE, "")}), "is a link or a device"),
    "a tar bomb": ("x.tgz", tarred({"forms/a01-000.png": bytes(30 << 20)}), "unpacks to more"),
    "a truncated tar": ("x.tgz", tarred({"a01-000.png": bytes(range(256)) * 999})[:-700], "is damaged"),
    "a file that is no tar": ("x.tgz", b"not a tar at all", "is damaged"),
}


@pytest.mark.parametrize(("name", "content", "what"), UNSAFE.values(), ids=UNSAFE.keys())
@pytest.mark.parametrize("in_folder", [False, True])
def test_an_unsafe_archive_is_refused(refusal, tmp_path, name, content, what, in_folder):
    place = tmp_path / "here" / name
    place.parent.mkdir()
    place.write_bytes(content)
    assert what in refusal(place.parent if in_folder else place, named=name)
    assert {path.name for path in tmp_path.iterdir()} == {"here", "raw"}


def test_a_link_in_a_folder_is_refused(refusal, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a01-000.png").symlink_to("/etc/passwd")
    assert "is a link" in refusal(tmp_path / "here", named="a01-000.png")


def test_too_many_files_are_refused(refusal, saved, monkeypatch):
    monkeypatch.setattr("text_recognizer.utils.archives.MAX_MEMBERS", 1)
    assert "more than 1 files" in refusal(saved(GOOD))
