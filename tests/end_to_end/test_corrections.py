"""New data of both kinds: a correction that is sent to the service, and an archive with a form that is excluded."""

import json
from dataclasses import dataclass

import httpx
import pytest
from tests.end_to_end.conftest import Ended, Project, break_labels

from text_recognizer.corpora.packed_pages import PackedSplit

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Prepared:
    """A copy whose data were prepared anew. `excluded` is a form with broken labels, `text` that of the correction."""

    project: Project
    answer: httpx.Response
    text: str
    excluded: str
    runs: list[Ended]

    @property
    def train(self) -> tuple:
        return PackedSplit.open(self.project.folder / "data/processed", "train").pages


@pytest.fixture(scope="module")
def prepared(reference, tmp_path_factory):
    """Send a correction to the service, name an archive with a broken form, exclude that form, and run the stages."""
    project = reference.project.copy(tmp_path_factory.mktemp("prepared"))
    request, text = project.correction()
    with project.serving() as url:
        answer = httpx.post(f"{url}corrections", **request, timeout=60, trust_env=False)
    source = project.folder / "mine.zip"
    excluded = break_labels(project.folder / "data/raw/synthetic.zip", source)
    project.take(source, exclude=[excluded])
    runs = [project.run("text-recognizer", stage) for stage in ("fetch", "find-lines", "validate", "preprocess")]
    return Prepared(project, answer, text, excluded, runs)


def test_a_correction_sent_to_the_service_joins_the_training_split(prepared):
    assert prepared.answer.status_code == 201, prepared.answer.text
    name = prepared.answer.json()["correction"]
    summary = json.loads((prepared.project.folder / "reports/validation.json").read_text(encoding="utf-8"))
    assert summary["feedback"] == {"accepted": [name], "refused": {}}
    last = prepared.train[-1]
    assert (last.id, last.text) == (f"feedback-{name}", prepared.text)


def test_a_form_that_is_excluded_no_longer_stops_the_stages(prepared):
    assert [run.status for run in prepared.runs] == [0, 0, 0, 0], prepared.runs[-1].said
    ids = [page.id for page in prepared.train]
    assert prepared.excluded not in ids
    assert len(ids) == 80  # the forms of the sample, without the excluded one and with the correction
