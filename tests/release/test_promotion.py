"""Trained readers are put into service and taken out of it."""

import json
import shutil

import pytest
import yaml

from text_recognizer.core.errors import ModelError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.schemas import Override
from text_recognizer.release import model_card
from text_recognizer.release.git import RegistryError
from text_recognizer.release.listing import list_versions, table
from text_recognizer.release.promotion import challenge, promote, rollback
from text_recognizer.release.speed import measure_speed
from text_recognizer.utils.files import sha256


def failed(verdict):
    return [rule.name for rule in verdict.failed]


def override(*rules):
    return Override(rules=rules, by="Ann", reason="the fair is on Monday")


def test_the_first_model_is_judged_by_the_limits_and_its_speed_alone(clone, worse, limits, section):
    # Given a project in which no model was promoted yet, when one is promoted and its speed is measured
    clone.commit(worse)
    verdict = promote(clone.folder, limits, section, measure=measure_speed)
    # Then it is in service, and was compared with no champion
    assert verdict.passed, failed(verdict)
    assert verdict.champion is None
    assert clone.champion == "v1.0.0"
    values = {rule.name: rule.value for rule in verdict.rules}
    assert not {"better", "same_pages"} & values.keys()
    assert values["latency"] > 0
    assert values["memory"] > 30


def test_a_better_challenger_is_promoted_and_rolled_back(served, worse, better, limits, section, quick):
    # Given the worse reader in service, when the better one is promoted
    served.commit(better)
    verdict = promote(served.folder, limits, section, measure=quick)
    # Then it is in service, and its files are there
    assert verdict.passed, failed(verdict)
    assert (served.champion, verdict.champion.version) == ("v2.0.0", "v1.0.0")
    assert sha256(served.folder / LAYOUT.champion / "reader.json") == better.score["model"]
    # And when it is rolled back, the worse one is again
    rollback(served.folder, section, "it reads our receipts badly")
    assert served.champion == "v1.0.0"
    assert sha256(served.folder / LAYOUT.champion / "reader.json") == worse.score["model"]
    with pytest.raises(RegistryError):
        rollback(served.folder, section, "once more")


def test_a_worse_challenger_is_refused_and_recorded_as_refused(clone, worse, better, limits, section, quick):
    # Given the better reader in service
    clone.commit(better)
    promote(clone.folder, limits, section, measure=quick)
    # When the worse one comes
    clone.commit(worse)
    verdict = promote(clone.folder, limits, section, measure=quick)
    # Then it is refused for that alone, and recorded
    assert failed(verdict) == ["better"]
    assert verdict.failed[0].value > 0
    assert clone.champion == "v1.0.0"
    rows = list_versions(clone.folder, section)
    assert [(row.version, row.verdict, row.in_service) for row in rows] == [
        ("v2.0.0", "refused", False),
        ("v1.0.0", "accepted", True),
    ]
    assert "refused" in table(rows)
    # And with a margin that wide it may replace the champion
    lenient = section.model_copy(update={"rule": "not_worse", "margin": 1.0})
    assert promote(clone.folder, limits, lenient, measure=quick).passed
    assert clone.champion == "v2.0.0"


def test_a_failed_rule_can_be_overridden_and_who_and_why_are_recorded(served, better, limits, section, quick):
    strict = limits.model_copy(update={"min_pages": 100})
    served.commit(better)
    assert failed(promote(served.folder, strict, section, measure=quick)) == ["pages"]
    with pytest.raises(RegistryError) as caught:
        promote(served.folder, strict, section, override("wer"), quick)
    assert "wer" in caught.value.what
    verdict = promote(served.folder, strict, section, override("pages"), quick)
    assert verdict.passed
    kept = json.loads((served.folder / LAYOUT.champion / "verdict.json").read_text())
    assert kept["override"] == {"rules": ["pages"], "by": "Ann", "reason": "the fair is on Monday"}
    assert list_versions(served.folder, section)[0].verdict == "overridden by Ann"


def test_the_model_in_service_is_not_promoted_again(served, limits, section, quick):
    with pytest.raises(RegistryError) as caught:
        promote(served.folder, limits, section, measure=quick)
    assert "v1.0.0" in caught.value.what


def test_a_score_that_is_not_committed_is_not_promoted(served, better, limits, section, quick):
    score = served.folder / LAYOUT.score
    score.write_text(json.dumps(better.score), encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        promote(served.folder, limits, section, measure=quick)
    assert "score.json" in caught.value.what


def test_a_model_that_dvc_has_lost_is_not_promoted(served, better, limits, section, quick):
    served.commit(better)
    served.do("rm", "-rf", ".dvc/cache")
    with pytest.raises(RegistryError) as caught:
        promote(served.folder, limits, section, measure=quick)
    assert "models/reader" in caught.value.what
    assert served.champion == "v1.0.0"


def test_a_score_of_another_model_than_the_committed_one_is_not_promoted(served, better, limits, section, quick):
    served.commit(better, model="f" * 64)
    with pytest.raises(RegistryError) as caught:
        promote(served.folder, limits, section, measure=quick)
    assert "score.json" in caught.value.what
    assert served.champion == "v1.0.0"


def test_a_model_of_an_earlier_version_is_not_rolled_back_to(
    clone, worse, better, limits, section, quick, tmp_path, monkeypatch
):
    # Given a promoted model whose reader.json has a key of an earlier version, and the better one in service
    early = type(worse)(shutil.copytree(worse.folder, tmp_path / "early"))
    info = early.folder / LAYOUT.model / "reader.json"
    table = json.loads(info.read_text(encoding="utf-8"))
    table["power"] = table.pop("exponent")
    info.write_text(json.dumps(table), encoding="utf-8")
    clone.commit(early, model=sha256(info))
    with monkeypatch.context() as earlier:
        earlier.setattr(model_card, "write_card", lambda *_: None)  # an earlier version reads that key
        assert promote(clone.folder, limits, section, measure=quick).passed
    clone.commit(better)
    assert promote(clone.folder, limits, section, measure=quick).passed
    # When someone rolls back
    with pytest.raises(ModelError) as refused:
        rollback(clone.folder, section, "it reads our receipts badly")
    # Then the message names the key, and the better one stays in service
    assert "power is now called exponent" in refused.value.what
    assert refused.value.fix
    assert clone.champion == "v2.0.0"
    assert sha256(clone.folder / LAYOUT.champion / "reader.json") == better.score["model"]


def test_without_a_model_in_service_there_is_nothing_to_roll_back(clone, section):
    with pytest.raises(RegistryError):
        rollback(clone.folder, section, "why")


def test_a_folder_without_git_has_no_registry(tmp_path, section):
    with pytest.raises(RegistryError) as caught:
        list_versions(tmp_path, section)
    assert str(tmp_path) in caught.value.what


def test_gto_and_dvc_find_the_champion_without_our_code(served, worse):
    assert served.champion_of_gto() == "v1.0.0"
    served.dvc("artifacts", "get", ".", "reader", "--stage", "champion", "--out", "fetched")
    assert sha256(served.folder / "fetched" / "reader.json") == worse.score["model"]


def test_a_retraining_is_compared_with_the_champion_before_it_is_committed(served, better, params):
    settings = params.model_dump(mode="json", by_alias=True)
    (served.folder / "params.yaml").write_text(yaml.safe_dump(settings))
    # The model in service has no other model to beat
    assert challenge(served.folder) is None
    # A better model beats it; a model that was scored on other pages does not
    for changed, passed in (({}, True), ({"data": "0" * 64}, False)):
        (served.folder / LAYOUT.score).write_text(json.dumps(better.score | changed), encoding="utf-8")
        rules = challenge(served.folder).rules
        assert rules
        assert all(rule.passed for rule in rules) == passed


def test_without_a_model_in_service_a_retraining_is_not_compared(clone, params, tmp_path):
    settings = params.model_dump(mode="json", by_alias=True)
    (clone.folder / "params.yaml").write_text(yaml.safe_dump(settings))
    assert challenge(clone.folder) is challenge(tmp_path) is None
