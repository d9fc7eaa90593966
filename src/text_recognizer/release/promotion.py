"""Put a model into service, and take it out again. A model is in service as soon as its git tag exists.

All other steps come before that tag, or can be repeated after a crash.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.core import config
from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.params import GateSection, PromoteSection
from text_recognizer.core.schemas import ChampionName, Override, RuleResult, TagRecord, Verdict
from text_recognizer.release import store
from text_recognizer.release.champion_scores import Rescore, champion_score
from text_recognizer.release.gate_rules import unusable
from text_recognizer.release.gate_verdict import judge, make_verdict
from text_recognizer.release.git import Git, RegistryError
from text_recognizer.release.ledger import READER, Ledger, RegistryTag
from text_recognizer.release.score_figures import RawScore
from text_recognizer.release.speed import Speed, measure_speed
from text_recognizer.utils.files import read_json_object, replace_atomically
from text_recognizer.utils.process_locks import hold

FIRST_BASIS = "the limits of params.yaml alone: this is the first model, so there is none in service to compare with"
SCORE_FIRST = "run `text-recognizer evaluate`"
Measure = Callable[[Path, Path], Speed]  # takes the model folder and the packed splits


@dataclass(frozen=True)
class PromotionRules:
    """What a model must satisfy to be promoted, and how its speed is measured."""

    limits: GateSection
    promote: PromoteSection
    measure: Measure = measure_speed
    rescore: Rescore | None = None


def promote(
    project: Path,
    limits: GateSection,
    section: PromoteSection,
    override: Override | None = None,
    measure: Measure = measure_speed,
    rescore: Rescore | None = None,
) -> Verdict:
    """Judge the committed model by the limits and against the model in service; put it into service if it passes.

    `rescore` scores the model in service again if the test pages have changed; without it, such a model is refused.
    If DVC has a remote, everything that dvc.lock names is pushed to it first.

    Returns the verdict, which is also written to the registry, whether the model passes or not. Raises RegistryError if
    the registry cannot be read, if the model cannot be pushed or fetched by its version, or if another promotion came
    between.
    """
    with open_registry(project, section) as (git, ledger):
        return _promote(git, ledger, PromotionRules(limits, section, measure, rescore), override)


def _promote(git: Git, ledger: Ledger, rules: PromotionRules, override: Override | None) -> Verdict:
    champion = ledger.champion()
    score = store.committed_score(git)
    if champion and champion.record.model == score.get("model"):
        raise RegistryError(f"this model is already in service, as {champion.version}", "train another model")
    verdict = judge_for_promotion(git, score, champion, rules)
    if override:
        verdict = apply_override(verdict, override)
    commit = store.commit_of_model(git)
    store.push(git, required=bool(rules.promote.git_remote), commit=commit)
    version = ledger.register(commit, _record(verdict))
    verdict = verdict.model_copy(update={"version": version.version})
    if verdict.passed:
        details = {"kind": "promote", "previous": champion.version if champion else None, "verdict": verdict}
        _put_into_service(git, ledger, version, _record(verdict).model_copy(update=details), champion)
    return verdict


@dataclass(frozen=True)
class Challenge:
    """The model in service, the text of its score on the new model's pages if there is one, and the rules' results."""

    champion: RegistryTag
    score: str | None
    rules: list[RuleResult]


def challenge(project: Path, rescore: Rescore | None = None) -> Challenge | None:
    """Compare the score in the working tree with that of the model in service; `rescore` is as for `promote`.

    Returns None if there is nothing to compare: if no model is in service, if it is this very model, or if the project
    is not a git clone.
    """
    if not Git(project).is_clone:
        return None
    section = config.load(project / config.PARAMS_FILE).promote
    with open_registry(project, section) as (git, ledger):
        champion = ledger.champion()
        if not champion:
            return None
        score = read_json_object(git.folder / LAYOUT.score, SCORE_FIRST, SCORE_FIRST)
        if score.get("model") == champion.record.model:
            return None
        return _compare(git, score, champion, section, rescore)


def rollback(project: Path, section: PromoteSection, reason: str, to: str | None = None) -> RegistryTag:
    """Put the version before the one in service, or the version `to`, back into service. Return the new assignment.

    Raises RegistryError if there is no such version, or if its model cannot be fetched.
    """
    with open_registry(project, section) as (git, ledger):
        return _roll_back(git, ledger, reason, to)


def _roll_back(git: Git, ledger: Ledger, reason: str, to: str | None) -> RegistryTag:
    champion = _in_service(ledger)
    target = ledger.version(to) if to else _version_before(ledger, champion)
    if target.version == champion.version:
        raise RegistryError(f"{target.version} is already in service", "name another version")
    assignments = [tag for tag in ledger.assignments() if tag.version == target.version]
    if not assignments:
        raise RegistryError(f"{target.version} was never in service", "promote it instead")
    details = {"kind": "rollback", "rolled_back": champion.version, "reason": reason}
    record = assignments[-1].record.model_copy(update=details)
    return _put_into_service(git, ledger, target, record, champion)


def fetch_champion(project: Path, section: PromoteSection) -> RegistryTag:
    """Copy the model in service to `models/champion`. Raises RegistryError if there is none."""
    with open_registry(project, section) as (git, ledger):
        champion = _in_service(ledger)
        with replace_atomically(git.folder / LAYOUT.champion) as draft:
            store.fetch_version(git, champion, draft, champion.record.verdict)
        return champion


def judge_for_promotion(git: Git, score: RawScore, champion: RegistryTag | None, rules: PromotionRules) -> Verdict:
    """Return the verdict by the limits, by the speed on this machine, and by the comparison with the champion."""
    results = [*judge(score, rules.limits).rules, *check_speed(git.folder, rules.promote, rules.measure)]
    if not champion:
        return make_verdict(results, score, FIRST_BASIS)
    results += _compare(git, score, champion, rules.promote, rules.rescore).rules
    basis = f"the limits of params.yaml and the champion {champion.version}, on the same pages"
    model = champion.record.model
    name = ChampionName(version=champion.version, model=model) if model else None
    return make_verdict(results, score, basis).model_copy(update={"champion": name})


def _compare(
    git: Git, score: RawScore, champion: RegistryTag, section: PromoteSection, rescore: Rescore | None
) -> Challenge:
    # The comparison imports numpy. A run that finds nothing to do has nothing to compare.
    from text_recognizer.release.comparison import compare

    other = champion_score(git, champion, score, rescore)
    return Challenge(champion, other, compare(score, other, champion.version, section))


def check_speed(project: Path, section: PromoteSection, measure: Measure) -> list[RuleResult]:
    """Compare time and memory with their limits.

    They differ from run to run, so they are measured here: the gate's stage must give the same result each time.
    """
    limits = {"latency": section.max_seconds, "memory": section.max_memory}
    try:
        speed = measure(project / LAYOUT.model, project / LAYOUT.processed)
    except DataError as problem:
        return [unusable(name, limit, problem) for name, limit in limits.items()]
    values = {"latency": speed.seconds, "memory": speed.memory}
    words = {
        "latency": f"{speed.seconds:.3f} s a page on one thread of this machine",
        "memory": f"{speed.memory} MiB at most while reading",
    }
    return [_speed_result(name, limits[name], values[name], words[name]) for name in limits]


def _speed_result(name: str, limit: float, value: float, words: str) -> RuleResult:
    passed = value <= limit
    reason = f"{words}, {'within' if passed else 'above'} the limit of {limit:g}"
    return RuleResult(name=name, limit=limit, value=value, passed=passed, reason=reason)


def apply_override(verdict: Verdict, override: Override) -> Verdict:
    """Let a verdict pass although the overridden rules failed. Raises RegistryError if one of them did not fail."""
    failed = {rule.name for rule in verdict.failed}
    if needless := set(override.rules) - failed:
        raise RegistryError(
            f"these rules did not fail, so they need no override: {', '.join(sorted(needless))}",
            f"name only rules that failed: {', '.join(sorted(failed)) or 'none'}",
        )
    kept = override.model_copy(update={"rules": tuple(sorted(override.rules))})
    return verdict.model_copy(update={"passed": failed <= set(override.rules), "override": kept})


@contextlib.contextmanager
def open_registry(project: Path, section: PromoteSection, name: str = READER) -> Iterator[tuple[Git, Ledger]]:
    """Lock the registry of this clone and bring it up to date. A second command waits until the first has ended.

    `name` is what has the versions: the reader, or the corpus. Raises RegistryError.
    """
    git = Git(project)
    if not git.is_clone:
        what = f"{project.resolve()} is not a git clone with a commit, and every version is a commit"
        raise RegistryError(what, "run the command in the project's clone")
    with hold(git.folder / LAYOUT.scratch / "registry.lock", "the registry", wait=True):
        ledger = Ledger(git, section.git_remote, name)
        ledger.refresh()
        yield git, ledger


def _in_service(ledger: Ledger) -> RegistryTag:
    champion = ledger.champion()
    if not champion:
        raise RegistryError("no model is in service yet", "promote one: `text-recognizer promote`")
    return champion


def _put_into_service(
    git: Git, ledger: Ledger, version: RegistryTag, record: TagRecord, champion: RegistryTag | None
) -> RegistryTag:
    """Fetch the model, make the tag, then move the folder into place.

    The model comes first, so that a version in service can always be fetched. A kill before the tag leaves the old
    champion, a kill after it the new one; `models --bring` then restores the folder.
    """
    with replace_atomically(git.folder / LAYOUT.champion) as draft:
        store.fetch_version(git, version, draft, record.verdict)
        return ledger.assign(version, record, champion)


def _version_before(ledger: Ledger, champion: RegistryTag) -> RegistryTag:
    """Return the version that the champion's own promotion replaced.

    Two rollbacks in a row therefore go back two versions. They do not alternate between the last two.
    """
    promotions = [tag for tag in ledger.assignments() if tag.version == champion.version]
    promotions = [tag for tag in promotions if tag.record.kind == "promote"]
    previous = promotions[-1].record.previous if promotions else None
    if not previous:
        raise RegistryError(f"{champion.version} was the first version in service", "name a version to go to")
    return ledger.version(previous)


def _record(verdict: Verdict) -> TagRecord:
    """Return the record of a version: the figures of its verdict."""
    return TagRecord(
        model=verdict.model,
        data=verdict.data,
        cer=verdict.cer,
        cer_interval=verdict.cer_interval,
        pages=verdict.pages,
        passed=verdict.passed,
    )
