"""The model in service is scored again on the test pages of its challenger, so that new pages block nobody."""

import json

import numpy as np
import pytest
import yaml

from text_recognizer.core.layout import LAYOUT
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation.provenance import data_digest
from text_recognizer.release.promotion import challenge, promote
from text_recognizer.stages.champion_scoring import rescorer

pytestmark = pytest.mark.slow


@pytest.fixture
def on_new_pages(served, better, params, written_words):
    """A clone with the worse reader in service, and the better one committed with a score on other test pages."""
    settings = params.model_dump(mode="json", by_alias=True)
    settings["evaluate"] |= {"resamples": 100, "gallery": 0}
    (served.folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    pages = PackedSplit.open(written_words, "test")
    packed = served.folder / LAYOUT.processed
    packed.unlink()
    packed.mkdir()
    PackedSplit(np.array(pages.canvases[:8]), pages.pages[:8]).save(packed, "test")
    data = data_digest(PackedSplit.open(packed, "test"))
    score = rescorer(served.folder)(better.folder / LAYOUT.model, data)
    served.commit(better, **score | {"robustness": better.score["robustness"]})
    return served, data


def kept(clone):
    return list((clone.folder / LAYOUT.champion_scores).glob("*.json"))


def test_a_challenger_on_new_test_pages_is_compared_on_these_and_promoted(on_new_pages, limits, section, quick):
    clone, data = on_new_pages
    # Without a way to score the model in service again, nothing can be compared
    refused = {rule.name: rule.passed for rule in challenge(clone.folder).rules}
    assert refused == {"same_pages": False, "better": False}
    # With one, it is scored once on the new pages, and the better challenger is promoted
    assert all(rule.passed for rule in challenge(clone.folder, rescorer(clone.folder)).rules)
    (score,) = kept(clone)
    assert json.loads(score.read_text())["data"] == data
    assert promote(clone.folder, limits, section, None, quick, rescorer(clone.folder)).passed
    assert (clone.champion, kept(clone)) == ("v2.0.0", [score])


def test_pages_that_are_not_at_hand_still_refuse(on_new_pages, written_words):
    clone, _ = on_new_pages
    packed = clone.folder / LAYOUT.processed
    PackedSplit.open(written_words, "test").save(packed, "test")
    rules = {rule.name: rule.passed for rule in challenge(clone.folder, rescorer(clone.folder)).rules}
    assert rules == {"same_pages": False, "better": False}
    assert kept(clone) == []
