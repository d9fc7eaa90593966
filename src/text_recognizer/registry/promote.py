"""Putting a model into service, and taking it out again: one new tag. All else comes before it, or can be repeated."""

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_recognizer import config, paths
from text_recognizer.config import GateSection, PromoteSection
from text_recognizer.errors import DataError
from text_recognizer.evaluation import judge
from text_recognizer.evaluation.gate import verdict_of
from text_recognizer.evaluation.rules import Rule, entry
from text_recognizer.evaluation.speed import Speed, measure
from text_recognizer.files import replacing
from text_recognizer.registry import store
from text_recognizer.registry.compare import FIRST, compare
from text_recognizer.registry.git import Git, RegistryError
from text_recognizer.registry.ledger import Entry, Ledger

Verdict = dict[str, Any]
Measure = Callable[[Path, Path], Speed]


@dataclass(frozen=True)
class Override:
    """Rules that a person lets a model miss: who, which rules, and why. All three are written down."""

    rules: tuple[str, ...]
    by: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {"rules": sorted(self.rules), "by": self.by, "reason": self.reason}


def promote(
    project: Path,
    limits: GateSection,
    section: PromoteSection,
    override: Override | None = None,
    measured: Measure = measure,
) -> Verdict:
    """Judges the committed model against the limits and the champion; where it passes, it is the champion from then on.

    Returns the verdict, which is kept in the registry either way. Raises RegistryError where the registry cannot be
    read, the model cannot be brought back by its version, or somebody else promoted meanwhile.
    """
    with opened(project, section) as (git, ledger):
        return _promote(git, ledger, limits, section, override, measured)


def _promote(
    git: Git,
    ledger: Ledger,
    limits: GateSection,
    section: PromoteSection,
    override: Override | None,
    measured: Measure,
) -> Verdict:
    champion = ledger.champion()
    score = store.committed(git)
    if champion and champion.record.get("model") == score.get("model"):
        raise RegistryError(f"{champion.version} is in service already, and is this very model", "train another one")
    verdict = judged(git, score, champion, limits, section, measured)
    verdict = overridden(verdict, override) if override else verdict
    if section.git_remote:
        store.push(git)
    version = ledger.register(git.run("rev-parse", "HEAD"), _summary(verdict))
    if not verdict["passed"]:
        return {**verdict, "version": version.version}
    verdict = {**verdict, "version": version.version}
    record = {"kind": "promote", "previous": champion.version if champion else None, **_summary(verdict)}
    _serve(git, ledger, version, {**record, "verdict": verdict}, champion)
    return verdict


def challenge(project: Path) -> list[Rule]:
    """The rules of a comparison of the score in the working tree with the champion's; none where there is none to make.

    That is where no model is in service, where this very model is, and where there is no registry at all.
    """
    if not Git(project).is_clone:
        return []
    section = config.load(project / config.PARAMS_FILE).promote
    with opened(project, section) as (git, ledger):
        champion = ledger.champion()
        if not champion:
            return []
        try:
            score = json.loads((git.folder / paths.SCORE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RegistryError(f"{paths.SCORE} cannot be read: {error}", "run `text-recognizer evaluate`") from None
        if score.get("model") == champion.record.get("model"):
            return []
        return compare(score, champion_score(git, champion), champion.version, section)


def rollback(project: Path, section: PromoteSection, reason: str, to: str | None = None) -> Entry:
    """Puts the version before the champion, or the version `to`, back into service. Returns the new assignment.

    Raises RegistryError where there is none, or its model cannot be brought back.
    """
    with opened(project, section) as (git, ledger):
        return _roll_back(git, ledger, reason, to)


def _roll_back(git: Git, ledger: Ledger, reason: str, to: str | None) -> Entry:
    champion = _in_service(ledger)
    target = ledger.version(to) if to else _before(ledger, champion)
    if target.version == champion.version:
        raise RegistryError(f"{target.version} is in service already", "name another version")
    served = [one for one in ledger.assignments() if one.version == target.version]
    if not served:
        raise RegistryError(f"{target.version} was never in service", "promote it instead")
    last = served[-1].record
    record = {**last, "kind": "rollback", "rolled_back": champion.version, "reason": reason}
    return _serve(git, ledger, target, record, champion)


def bring_champion(project: Path, section: PromoteSection) -> Entry:
    """Brings the model in service to `models/champion`. Raises RegistryError where there is none."""
    with opened(project, section) as (git, ledger):
        champion = _in_service(ledger)
        store.bring(git, champion, git.folder / paths.CHAMPION, champion.record.get("verdict") or {})
        return champion


def judged(
    git: Git,
    score: dict[str, Any],
    champion: Entry | None,
    limits: GateSection,
    section: PromoteSection,
    measured: Measure,
) -> Verdict:
    """The whole verdict: the limits, the speed on this machine, and the champion where there is one."""
    rules = judge(score, limits)["rules"] + speed_rules(git.folder, section, measured)
    basis = FIRST
    if champion:
        rules += compare(score, champion_score(git, champion), champion.version, section)
        basis = f"the limits of params.yaml and the champion {champion.version}, on the same pages"
    verdict = verdict_of(rules, score, basis)
    named = {"version": champion.version, "model": champion.record.get("model")} if champion else None
    return {**verdict, "champion": named}


def champion_score(git: Git, champion: Entry) -> str | None:
    """The champion's score as it was committed; None where it is gone, or is the score of another model."""
    try:
        text = git.show(champion.commit, paths.SCORE)
        score = json.loads(text)
    except (RegistryError, ValueError):
        return None
    return text if isinstance(score, dict) and score.get("model") == champion.record.get("model") else None


def speed_rules(project: Path, section: PromoteSection, measured: Measure) -> list[Rule]:
    """What needs a clock: it is judged here and not in the gate's stage, which must give the same each time."""
    limits = {"latency": section.max_seconds, "memory": section.max_memory}
    try:
        speed = measured(project / paths.MODEL, project / paths.PROCESSED)
    except DataError as problem:
        return [entry(name, limit, None, False, problem.what) for name, limit in limits.items()]
    words = {
        "latency": (speed.seconds, f"{speed.seconds:.3f} s a page on one thread of this machine"),
        "memory": (speed.memory, f"{speed.memory} MiB at most while reading"),
    }
    return [
        entry(name, limits[name], value, value <= limits[name], f"{text}, limit {limits[name]:g}")
        for name, (value, text) in words.items()
    ]


def overridden(verdict: Verdict, override: Override) -> Verdict:
    """The verdict with the rules that a person lets pass. Raises RegistryError where they are not those that failed."""
    failed = {rule["name"] for rule in verdict["rules"] if not rule["passed"]}
    if needless := set(override.rules) - failed:
        raise RegistryError(
            f"nothing to override: {', '.join(sorted(needless))} did not fail",
            f"rules that failed: {', '.join(sorted(failed)) or 'none'}",
        )
    return {**verdict, "passed": failed <= set(override.rules), "override": override.as_dict()}


@contextlib.contextmanager
def opened(project: Path, section: PromoteSection) -> Iterator[tuple[Git, Ledger]]:
    """The registry, up to date and ours alone: a second command in this clone waits until the first has ended."""
    git = Git(project)
    if not git.is_clone:
        raise RegistryError(f"{project.resolve()} is no git clone with a commit: versions are commits", "run it in one")
    lock = git.folder / paths.SCRATCH / "registry.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ledger = Ledger(git, section.git_remote)
        ledger.refresh()
        yield git, ledger


def _in_service(ledger: Ledger) -> Entry:
    champion = ledger.champion()
    if not champion:
        raise RegistryError("no model is in service yet", "promote one: `text-recognizer promote`")
    return champion


def _serve(git: Git, ledger: Ledger, version: Entry, record: dict[str, Any], champion: Entry | None) -> Entry:
    """Brings the model first, so that what is in service can be had; then the tag; then the folder in its place.

    A kill before the tag leaves the old champion, one after it the new one. `models --bring` mends the folder.
    """
    folder = git.folder / paths.CHAMPION
    with replacing(folder) as draft:
        store.fill(git, version, draft, record["verdict"])
        return ledger.assign(version, record, champion)


def _before(ledger: Ledger, champion: Entry) -> Entry:
    """The version that the champion's own promotion replaced: rolling back twice goes back two, not there and back."""
    promoted = [one for one in ledger.assignments() if one.version == champion.version]
    promoted = [one for one in promoted if one.record.get("kind") == "promote"]
    previous = promoted[-1].record.get("previous") if promoted else None
    if not previous:
        raise RegistryError(f"{champion.version} was the first: there is none before it", "name a version to go to")
    return ledger.version(str(previous))


def _summary(verdict: Verdict) -> dict[str, Any]:
    return {name: verdict[name] for name in ("model", "data", "cer", "cer_interval", "pages", "passed")}
