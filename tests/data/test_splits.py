"""Each split by its name, and whoever stands in two of its parts."""

import pytest

from text_recognizer import cli
from text_recognizer.data.iam import SPLIT_LISTS, IamArchive
from text_recognizer.data.splits import Leak, report_leaks, writer_leaks

AACHEN = {"train": "a01-000\nb01-000\n", "validation": "b01-001\n", "test": "c01-000\n"}


@pytest.fixture
def saved(small_archive, small_form, tmp_path):
    """Saves the five forms, and a stray one in no list, with a writer each unless it is said otherwise."""

    def save(**writers):
        ids = ("a01-000", "a01-001", "b01-000", "b01-001", "c01-000", "z99-000")
        for number, form_id in enumerate(ids):
            small_archive.put(small_form(form_id, writers.get(form_id.replace("-", "_"), f"w{number}")))
        small_archive.files |= {f"aachen/{part}.txt": text.encode() for part, text in AACHEN.items()}
        return small_archive.save(tmp_path / "iamdb.zip")

    return save


PARTS = {
    "lwitlrt": (["a01-000", "a01-001", "z99-000"], ["b01-000", "b01-001"], ["c01-000"]),
    "lwitlrt-published": (["a01-000", "a01-001"], ["b01-000"], ["c01-000"]),
    "aachen": (["a01-000", "b01-000"], ["b01-001"], ["c01-000"]),
}


@pytest.mark.parametrize("name", SPLIT_LISTS)
def test_each_split_has_the_parts_that_its_name_says(saved, name):
    with IamArchive(saved()) as iam:
        assert tuple(iam.splits(name).values()) == PARTS[name]


@pytest.mark.parametrize("name", SPLIT_LISTS)
def test_writers_who_keep_apart_leak_nothing(saved, name):
    assert report_leaks(saved(), name) == f"{name}: no writer is in two parts"


LEAKS = {
    "lwitlrt": [Leak("x", {"train": ("z99-000",), "validation": ("b01-001",)})],
    "lwitlrt-published": [],  # neither of the two is in a part
    "aachen": [],
}


@pytest.mark.parametrize("name", SPLIT_LISTS)
def test_a_writer_leaks_in_the_split_that_has_both_forms_and_in_no_other(saved, name):
    with IamArchive(saved(b01_001="x", z99_000="x")) as iam:
        assert writer_leaks(iam, name) == LEAKS[name]


def test_a_leak_is_reported_with_writer_and_forms(saved):
    report = report_leaks(saved(a01_001="x", c01_000="x"), "lwitlrt")
    assert report.splitlines() == [
        "lwitlrt: in two parts: 1 of its writers, so a score on test flatters",
        "  writer x: train a01-001; test c01-000",
    ]


def test_a_form_that_is_left_out_leaks_nothing(saved):
    archive = saved(a01_001="x", c01_000="x")
    assert "no writer" in report_leaks(archive, "lwitlrt", exclude=("c01-000",))


def test_the_writer_of_a_form_is_read_and_broken_labels_have_none(saved, small_archive, tmp_path):
    saved(a01_000="w7")
    small_archive.files["xml/a01-001.xml"] = b"not XML"
    small_archive.files["xml/b01-000.xml"] = b'<form id="b01-000"/>'
    with IamArchive(small_archive.save(tmp_path / "broken.zip")) as iam:
        assert [iam.writer(form_id) for form_id in ("a01-000", "a01-001", "b01-000")] == ["w7", None, None]


@pytest.mark.slow
def test_a_leak_that_is_allowed_is_still_told(saved, shipped, tmp_path, monkeypatch, capsys):
    import yaml

    # Given a project that allows leaks, and an archive with one
    params = shipped.model_dump(mode="json", by_alias=True)
    params["validate"] |= {"writers_apart": False, "min_forms": 1}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw").mkdir(parents=True)
    saved(a01_001="x", c01_000="x").rename(tmp_path / "data/raw/iamdb.zip")
    # When it is validated, then the table is followed by who leaks
    with pytest.raises(SystemExit):
        cli.main(["validate"])
    assert "writer x: train a01-001; test c01-000" in capsys.readouterr().out
