"""The parts of each split, and the writers who occur in two of them."""

import pytest
from tests.sources import page_source

from text_recognizer.cli import main
from text_recognizer.corpora.iam import SPLIT_LISTS, IamArchive
from text_recognizer.corpora.splits import WriterLeak, report_leaks, writer_leaks

AACHEN = {"train": "a01-000\nb01-000\n", "validation": "b01-001\n", "test": "c01-000\n"}


@pytest.fixture
def saved(small_archive, small_form, tmp_path):
    """Save the five forms and one in no list. Each has its own writer unless `writers` names another."""

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
def test_each_split_has_its_parts(saved, name):
    with IamArchive(saved()) as iam:
        assert tuple(iam.splits(name).values()) == PARTS[name]


@pytest.mark.parametrize("name", SPLIT_LISTS)
def test_disjoint_writers_are_no_leak(saved, name):
    archive = saved()
    source = page_source(archive, name)
    assert writer_leaks([source]) == []
    assert len(report_leaks([source]).splitlines()) == 1


LEAKS = {
    "lwitlrt": [WriterLeak("x", {"train": ("z99-000",), "validation": ("b01-001",)})],
    "lwitlrt-published": [],  # neither of the two forms is in a part
    "aachen": [],
}


@pytest.mark.parametrize("name", SPLIT_LISTS)
def test_a_writer_leaks_only_in_a_split_that_has_both_forms(saved, name):
    assert writer_leaks([page_source(saved(b01_001="x", z99_000="x"), name)]) == LEAKS[name]


def test_a_leak_is_reported_with_writer_and_forms(saved):
    summary, leak = report_leaks([page_source(saved(a01_001="x", c01_000="x"))]).splitlines()
    assert all(word in summary for word in ("lwitlrt", " 1 ", "test"))
    assert leak.strip() == "writer x: train a01-001; test c01-000"


def test_an_excluded_form_is_no_leak(saved):
    source = page_source(saved(a01_001="x", c01_000="x"))
    assert len(writer_leaks([source])) == 1
    assert writer_leaks([source], exclude=("c01-000",)) == []


def test_the_writer_of_a_form_is_read_and_is_none_for_broken_labels(saved, small_archive, tmp_path):
    saved(a01_000="w7")
    small_archive.files["xml/a01-001.xml"] = b"not XML"
    small_archive.files["xml/b01-000.xml"] = b'<form id="b01-000"/>'
    with IamArchive(small_archive.save(tmp_path / "broken.zip")) as iam:
        assert [iam.writer(form_id) for form_id in ("a01-000", "a01-001", "b01-000")] == ["w7", None, None]


@pytest.mark.slow
def test_an_allowed_leak_is_still_reported(saved, params, tmp_path, monkeypatch, capsys):
    import yaml

    # A project that allows leaks, and an archive with one.
    content = params.model_dump(mode="json", by_alias=True)
    content["validate"] |= {"disjoint_writers": False, "min_forms": 1}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw").mkdir(parents=True)
    saved(a01_001="x", c01_000="x").rename(tmp_path / "data/raw/synthetic.zip")
    # The report follows the table of the validation.
    with pytest.raises(SystemExit):
        main(["validate"])
    assert "writer x: train a01-001; test c01-000" in capsys.readouterr().out
