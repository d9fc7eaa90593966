"""The labels are compared with those of the last accepted data, and with no others."""

import json

import pytest
from tests.sources import data_of, entry_of

from text_recognizer.core.errors import DataError
from text_recognizer.utils.files import write_json
from text_recognizer.validation import drift


@pytest.fixture
def reference(good, tmp_path):
    """The reference file of the archive without faults."""
    write_json(tmp_path / "accepted.json", good.outcome.reference.model_dump(mode="json"))
    return tmp_path / "accepted.json"


def change_lines(corpus, change):
    """Change the text of every line."""
    names = [name for name in corpus.files if name.startswith("xml/")]
    assert names
    for name in names:
        text = corpus.files[name].decode()
        for line in ("The first line,", 'and "a second".', "and &quot;a second&quot;."):
            text = text.replace(f'"{line}"', f'"{change(line)}"').replace(f"'{line}'", f"'{change(line)}'")
        corpus.files[name] = text.encode()


def test_data_that_changed_little_pass(corpus, check, reference):
    corpus.relabel("a01-001", "first", "third")

    outcome = check(corpus, accepted=reference)

    assert outcome.passed
    assert json.loads(reference.read_text())["sha256"][:12] in outcome.summary.drift
    assert outcome.summary.drift in outcome.table()


def test_the_first_data_are_compared_with_nothing_and_so_are_the_same_data_again(corpus, check, good, reference):
    first, again = good.outcome, check(corpus, accepted=reference)

    assert first.passed
    assert first.summary.drift == drift.NOT_COMPARED.description
    assert again.summary == first.summary


def test_other_characters_fail_alone(corpus, check, reference, failing):
    shift = str.maketrans("abcdefghijklmnopqrstuvwxyz", "bcdefghijklmnopqrstuvwxyza")
    change_lines(corpus, lambda line: line if "&" in line else line.translate(shift))

    assert failing(check(corpus, accepted=reference)) == {"character_drift": ["characters"]}


def test_lost_capitals_fail_alone(corpus, check, reference, failing):
    change_lines(corpus, str.lower)

    assert failing(check(corpus, accepted=reference)) == {"label_drift": ["capitals"]}


def test_half_of_the_lines_missing_from_every_form_fail_alone(corpus, check, reference, failing, with_section):
    # Given limits that the change of the characters does not exceed
    limits = with_section("validate_", max_drift=1.0, max_change=0.4)
    for name in [name for name in corpus.files if name.startswith("xml/")]:
        head, _, rest = corpus.files[name].partition(b"<line")
        first, _, _ = rest.partition(b"</line>")
        corpus.files[name] = head + b"<line" + first + b"</line></handwritten-part></form>"

    found = failing(check(corpus, limits, accepted=reference))

    assert list(found) == ["label_drift"]
    assert "lines_a_form" in found["label_drift"]


@pytest.mark.parametrize(
    "data",
    [
        data_of(entry_of("other.zip")),
        data_of(entry_of("synthetic", "aachen")),
        data_of(entry_of("synthetic"), entry_of("other.zip")),
    ],
)
def test_data_of_another_source_or_split_are_not_compared(reference, data):
    comparison = drift.open_reference(reference, data, "0" * 64)

    assert comparison.labels is None
    assert "synthetic" in comparison.description


def test_without_a_comparison_no_measure_has_a_change(good):
    rows = drift.table(good.outcome.reference.labels, drift.NOT_COMPARED)

    assert list(rows["measure"]) == [drift.CHARACTERS, *drift.MEASURES]
    assert rows[["reference", "mix", "change"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"format": 2}', '{"format": 1, "source": "synthetic"}', "no labels", "labels without characters"],
)
def test_a_damaged_reference_is_named(reference, params, content):
    kept = json.loads(reference.read_text())
    if content == "no labels":
        content = json.dumps({**kept, "labels": None})
    if content == "labels without characters":
        content = json.dumps({**kept, "labels": {**kept["labels"], "characters": {}}})
    reference.write_text(content)

    with pytest.raises(DataError, match=r"accepted\.json") as caught:
        drift.open_reference(reference, params.data, "0" * 64)
    assert "remove it" in caught.value.fix


def test_the_reference_holds_shares_and_no_text(reference):
    kept = json.loads(reference.read_text(encoding="utf-8"))

    assert sum(kept["labels"]["characters"].values()) == pytest.approx(1, abs=1e-4)
    assert set(map(len, kept["labels"]["characters"])) == {1}
    assert kept["labels"]["lines_a_form"] == 2
