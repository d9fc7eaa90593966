"""Real trained readers in and out of service."""

import json
from pathlib import Path

import pytest
import yaml

from text_recognizer import config, paths
from text_recognizer.evaluation.speed import measure
from text_recognizer.files import sha256
from text_recognizer.registry import Override, RegistryError, challenge, listed, promote, rollback, table

ROOT = Path(__file__).resolve().parents[2]


def failed(verdict):
    return {rule["name"]: rule["reason"] for rule in verdict["rules"] if not rule["passed"]}


def test_the_first_model_has_no_champion_and_the_verdict_says_so(clone, worse, limits, section):
    # Given a project in which nothing was promoted yet, When a model is, its speed measured
    clone.commit(worse)
    verdict = promote(clone.folder, limits, section, measured=measure)
    # Then it is in service, by the limits alone
    assert verdict["passed"], failed(verdict)
    assert "this is the first model" in verdict["basis"]
    assert clone.champion == "v1.0.0"
    rules = {rule["name"]: rule["value"] for rule in verdict["rules"]}
    assert rules["latency"] > 0
    assert rules["memory"] > 30


def test_a_better_challenger_is_promoted_and_rolled_back(served, worse, better, limits, section, quick):
    # Given the worse reader in service, When the better one is promoted
    served.commit(better)
    verdict = promote(served.folder, limits, section, measured=quick)
    # Then it is in service, and its files are there
    assert verdict["passed"], failed(verdict)
    assert (served.champion, verdict["champion"]["version"]) == ("v2.0.0", "v1.0.0")
    assert sha256(served.folder / paths.CHAMPION / "reader.json") == better.score["model"]
    # And when it is rolled back, the worse one is again
    rollback(served.folder, section, "it reads our receipts badly")
    assert served.champion == "v1.0.0"
    assert sha256(served.folder / paths.CHAMPION / "reader.json") == worse.score["model"]
    with pytest.raises(RegistryError, match="was the first"):
        rollback(served.folder, section, "once more")


def test_a_worse_challenger_is_refused_and_recorded_as_that(clone, worse, better, limits, section, quick):
    # Given the better reader in service
    clone.commit(better)
    promote(clone.folder, limits, section, measured=quick)
    # When the worse one comes
    clone.commit(worse)
    verdict = promote(clone.folder, limits, section, measured=quick)
    # Then it is refused for that alone, and recorded
    assert list(failed(verdict)) == ["better"]
    assert "not below 0" in failed(verdict)["better"]
    assert clone.champion == "v1.0.0"
    rows = listed(clone.folder, section)
    assert [(row["version"], row["verdict"], row["in_service"]) for row in rows] == [
        ("v2.0.0", "refused", False),
        ("v1.0.0", "accepted", True),
    ]
    assert "refused" in table(rows)
    # And where a margin is allowed that wide, it may take its place
    lenient = section.model_copy(update={"rule": "not_worse", "margin": 1.0})
    assert promote(clone.folder, limits, lenient, measured=quick)["passed"]
    assert clone.champion == "v2.0.0"


def test_a_refused_model_can_be_overridden_by_name_and_reason_which_are_written_down(
    served, better, limits, section, quick
):
    strict = limits.model_copy(update={"min_pages": 100})
    served.commit(better)
    assert list(failed(promote(served.folder, strict, section, measured=quick))) == ["pages"]
    with pytest.raises(RegistryError, match="wer did not fail"):
        promote(served.folder, strict, section, Override(("wer",), "Ann", "why"), quick)
    verdict = promote(served.folder, strict, section, Override(("pages",), "Ann", "the fair is on Monday"), quick)
    assert verdict["passed"]
    kept = json.loads((served.folder / paths.CHAMPION / "verdict.json").read_text())
    assert kept["override"] == {"rules": ["pages"], "by": "Ann", "reason": "the fair is on Monday"}
    assert listed(served.folder, section)[0]["verdict"] == "overridden by Ann"


def test_the_model_in_service_is_not_promoted_again(served, limits, section, quick):
    with pytest.raises(RegistryError, match=r"v1\.0\.0 is in service already"):
        promote(served.folder, limits, section, measured=quick)


def test_what_is_not_committed_is_not_promoted(served, better, limits, section, quick):
    score = served.folder / paths.SCORE
    score.write_text(json.dumps(better.score), encoding="utf-8")
    with pytest.raises(RegistryError, match=r"score\.json differs from what is committed"):
        promote(served.folder, limits, section, measured=quick)


def test_a_model_that_dvc_has_lost_is_not_promoted(served, better, limits, section, quick):
    served.commit(better)
    served.do("rm", "-rf", ".dvc/cache")
    with pytest.raises(RegistryError, match="DVC cannot bring models/reader"):
        promote(served.folder, limits, section, measured=quick)
    assert served.champion == "v1.0.0"


def test_a_score_of_another_model_than_the_committed_one_is_not_promoted(served, better, limits, section, quick):
    served.commit(better, model="f" * 64)
    with pytest.raises(RegistryError, match="is not the score of the model"):
        promote(served.folder, limits, section, measured=quick)
    assert served.champion == "v1.0.0"


def test_where_nothing_is_in_service_there_is_nothing_to_roll_back(clone, section):
    with pytest.raises(RegistryError, match="no model is in service"):
        rollback(clone.folder, section, "why")


def test_a_folder_without_git_has_no_registry(tmp_path, section):
    with pytest.raises(RegistryError, match="no git clone"):
        listed(tmp_path, section)


def test_gto_and_dvc_find_the_champion_themselves(served, worse):
    assert served.champion_of_gto() == "v1.0.0"
    served.dvc("artifacts", "get", ".", "reader", "--stage", "champion", "--out", "fetched")
    assert sha256(served.folder / "fetched" / "reader.json") == worse.score["model"]


def test_a_retraining_is_compared_with_the_champion_before_it_is_committed(served, better):
    settings = config.load(ROOT / "params.yaml").model_dump(mode="json", by_alias=True)
    (served.folder / "params.yaml").write_text(yaml.safe_dump(settings))
    # The model in service has nobody to beat
    assert challenge(served.folder) == []
    # A better one beats it; one without a score of these pages does not
    for changed, passed in (({}, True), ({"data": "0" * 64}, False)):
        (served.folder / paths.SCORE).write_text(json.dumps(better.score | changed), encoding="utf-8")
        assert all(rule["passed"] for rule in challenge(served.folder)) == passed


def test_where_nothing_is_in_service_a_retraining_is_compared_with_nobody(clone, tmp_path):
    settings = config.load(ROOT / "params.yaml").model_dump(mode="json", by_alias=True)
    (clone.folder / "params.yaml").write_text(yaml.safe_dump(settings))
    assert challenge(clone.folder) == challenge(tmp_path) == []
