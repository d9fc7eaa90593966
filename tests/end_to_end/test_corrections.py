"""A correction sent to the service: validation accepts it, and it joins the training split."""

import io
import json

import httpx
import pytest
from PIL import Image

from text_recognizer.corpora.packed_pages import PackedSplit

pytestmark = pytest.mark.slow


@pytest.fixture
def corrected(project):
    """The handwriting of a training form, as the parts of a request: a picture, and its one line put right."""
    form, scale, png = project.handwriting("train")
    lines = [{"text": form.text, "box": [0, 0, *Image.open(io.BytesIO(png)).size]}]
    picture, correction = ("cut.png", png), json.dumps({"lines": lines, "dpi": 300 * scale})
    return {"files": {"picture": picture}, "data": {"correction": correction}}, form.text


def test_a_correction_sent_to_the_service_joins_the_training_split(project, corrected):
    request, text = corrected
    with project.serving() as url:
        answer = httpx.post(f"{url}corrections", **request, timeout=60, trust_env=False)
    assert answer.status_code == 201, answer.text
    name = answer.json()["correction"]
    for stage in ("validate", "preprocess"):
        done = project.run("text-recognizer", stage)
        assert done.status == 0, done.said
    summary = json.loads((project.folder / "reports/validation.json").read_text(encoding="utf-8"))
    assert summary["feedback"] == {"accepted": [name], "refused": {}}
    last = PackedSplit.open(project.folder / "data/processed", "train").pages[-1]
    assert (last.id, last.text) == (f"feedback-{name}", text)


def test_whoever_serves_can_turn_corrections_off(project, corrected):
    with project.serving(TEXT_RECOGNIZER_FEEDBACK="") as url:
        assert httpx.post(f"{url}corrections", **corrected[0], timeout=60, trust_env=False).status_code == 403
    assert [path.name for path in (project.folder / "data/feedback").iterdir()] == ["README.md"]
