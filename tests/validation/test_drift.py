"""The labels are held against those of the last accepted data, and of no others."""

import json

import pytest

from text_recognizer.errors import DataError
from text_recognizer.files import write_json
from text_recognizer.validation import drift


@pytest.fixture
def accepted(corpus, check, tmp_path):
    """What was kept of the corpus as it is without a fault."""
    path = tmp_path / "accepted.json"
    write_json(path, check(corpus).reference)
    return path


def relabel(corpus, change):
    """Changes the text of every line."""
    for name in [name for name in corpus.files if name.startswith("xml/")]:
        text = corpus.files[name].decode()
        for line in ("The first line,", 'and "a second".', "and &quot;a second&quot;."):
            text = text.replace(f'"{line}"', f'"{change(line)}"').replace(f"'{line}'", f"'{change(line)}'")
        corpus.files[name] = text.encode()


def test_data_that_moved_little_pass_and_it_is_said_what_they_were_compared_with(corpus, check, accepted):
    corpus.files["xml/a01-001.xml"] = corpus.files["xml/a01-001.xml"].replace(b"first", b"third")

    outcome = check(corpus, accepted=accepted)

    assert outcome.passed
    assert "drift: compared with the last accepted data" in outcome.table()


def test_the_first_data_are_compared_with_none_and_so_are_the_same_again(corpus, check, accepted, tmp_path):
    first = check(corpus, accepted=tmp_path / "nowhere.json")
    again = check(corpus, accepted=accepted)

    assert first.passed
    assert "drift: not compared: no other data have been accepted yet" in first.table()
    assert again.summary == first.summary


def test_other_characters_fail_alone(corpus, check, accepted, failing):
    shift = str.maketrans("abcdefghijklmnopqrstuvwxyz", "bcdefghijklmnopqrstuvwxyza")
    relabel(corpus, lambda line: line if "&" in line else line.translate(shift))

    assert failing(check(corpus, accepted=accepted)) == {"characters_steady": ["characters"]}


def test_capitals_that_were_lost_fail_alone(corpus, check, accepted, failing):
    relabel(corpus, str.lower)

    assert failing(check(corpus, accepted=accepted)) == {"labels_steady": ["capitals"]}


def test_half_the_lines_gone_from_every_form_fail_alone(corpus, check, accepted, failing, params):
    # Given limits that the change of characters stays within
    limits = params.validate_.model_copy(update={"max_drift": 1.0, "max_change": 0.4})
    for name in [name for name in corpus.files if name.startswith("xml/")]:
        head, _, rest = corpus.files[name].partition(b"<line")
        first, _, _ = rest.partition(b"</line>")
        corpus.files[name] = head + b"<line" + first + b"</line></handwritten-part></form>"

    found = failing(check(corpus, params.model_copy(update={"validate_": limits}), accepted=accepted))

    assert list(found) == ["labels_steady"]
    assert "lines_a_form" in found["labels_steady"]


def test_data_of_another_source_are_not_compared(corpus, check, accepted, params):
    relabel(corpus, str.upper)
    other = params.model_copy(update={"data": params.data.model_copy(update={"source": "other.zip"})})

    outcome = check(corpus, other, accepted=accepted)

    assert outcome.passed
    assert "came from synthetic" in outcome.table()


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"format": 1, "source": "synthetic"}'])
def test_a_damaged_reference_is_refused_by_name(accepted, params, content):
    accepted.write_text(content)

    with pytest.raises(DataError, match=r"accepted\.json cannot be read") as caught:
        drift.open_reference(accepted, params.data, "0" * 64)
    assert "remove it" in caught.value.fix


def test_the_reference_holds_shares_and_no_text(accepted):
    kept = json.loads(accepted.read_text(encoding="utf-8"))

    assert sum(kept["labels"]["characters"].values()) == pytest.approx(1, abs=1e-4)
    assert set(map(len, kept["labels"]["characters"])) == {1}
    assert kept["labels"]["lines_a_form"] == 2
