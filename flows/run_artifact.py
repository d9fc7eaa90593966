"""Show in Prefect what a run of the pipeline made: the verdict in sentences, figures, rules, the worst pages."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact

from flows.report_links import data_docs_links, link, table
from flows.summary import Row, read_report
from flows.worst_pages import worst_pages
from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import RuleResult, Score, Verdict
from text_recognizer.release.git import Git, RegistryError
from text_recognizer.release.promotion import Challenge, challenge
from text_recognizer.stages.champion_scoring import rescorer


def publish_run(project: Path, rows: Sequence[Row], refusal: str = "") -> None:
    """Store the summary of a run as an artifact; `refusal` says why its model may not be released."""
    beside: Challenge | str
    try:
        beside = challenge(project, rescorer(project)) or "There is no other model in service to compare with."
    except RegistryError as problem:
        beside = f"The model was not compared with the one in service: {problem.what}."
    text = markdown(project, rows, refusal, beside)
    create_markdown_artifact(text, key="retrain", description="What the last run made, and how well it reads")


def markdown(project: Path, rows: Sequence[Row], refusal: str, beside: Challenge | str) -> str:
    """Return the outcome, the comparison with the champion, the figures, every rule and the worst pages as Markdown.

    `beside` is that comparison, or says why there is none.
    """
    files = Layout(project)
    score, verdict = read_report(Score, files.score), read_report(Verdict, files.verdict)
    outcome = "The model may be released" if not refusal else f"The model may not be released: {refusal}"
    model = f"Model `{verdict.model[:12]}`" if verdict.model else "No model"
    places = f"Data Docs: {data_docs_links(project)}. Report: {link(files.report, project)}."
    compared = beside if isinstance(beside, Challenge) else None
    rules = [*verdict.rules, *(compared.rules if compared else ())]
    worst = worst_pages(project)
    parts = [
        f"**{outcome}**",
        f"{model}, {_commit(project)}. {places}",
        "## Verdict",
        *sentences(verdict, beside),
        table(("", "this model", compared.champion.version if compared else "in service"), figures(score, compared)),
        "## Figures",
        table(("", ""), rows),
        "## Rules",
        table(("", "rule", "limit", "value", "what was found"), [_rule(rule) for rule in rules]),
        f"## Worst pages\n\n{worst}" if worst else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def sentences(verdict: Verdict, beside: Challenge | str) -> list[str]:
    """Return in sentences what the gate and the comparison with the model in service decided, and why."""
    failed = len(verdict.failed)
    gate = f"The gate passed the model: all {len(verdict.rules)} rules hold."
    if not verdict.passed:
        gate = f"The gate rejected the model: {failed} of {len(verdict.rules)} rules do not hold."
    if isinstance(beside, str):
        return [gate, beside]
    better = all(rule.passed for rule in beside.rules)
    beats = f"The model {'may' if better else 'may not'} replace {beside.champion.version}"
    reasons = "; ".join(rule.reason for rule in beside.rules if better or not rule.passed)
    return [gate, f"{beats}, which is in service since {beside.champion.when[:10]}: {reasons}."]


def figures(score: Score, beside: Challenge | None) -> list[tuple[str, str, str]]:
    """Return the error rates with their intervals, of this model and of the model in service on the same pages."""
    own, other = score.model_dump(mode="json"), json.loads(beside.score or "{}") if beside else {}
    names = {"cer": "CER", "wer": "WER"}
    rows = [(shown, _rate(own, name), _rate(other, name)) for name, shown in names.items()]
    pages = [str(one.get("pages", "none")) for one in (own, other)]
    return [*rows, ("test pages", pages[0], pages[1])]


def _rate(score: Mapping[str, Any], name: str) -> str:
    """Return a rate of a score with its interval; scores of earlier versions of this program may lack them."""
    rate, interval = score.get(name), score.get(f"{name}_interval")
    if not isinstance(rate, int | float) or not isinstance(interval, list) or len(interval) != 2:
        return "none"
    return f"{rate:.2%} ({interval[0]:.2%} to {interval[1]:.2%})"


def _commit(project: Path) -> str:
    git = Git(project)
    if not git.is_clone:
        return "not in a git clone"
    changed = git.run("status", "--porcelain", "--untracked-files=no")
    return f"commit `{git.run('rev-parse', '--short', 'HEAD')}`{' and changes since' if changed else ''}"


def _rule(rule: RuleResult) -> Sequence[str]:
    return "✓" if rule.passed else "✗", rule.name, _figure(rule.limit), _figure(rule.value), rule.reason


def _figure(value: float | str | None) -> str:
    if value is None:
        return "none"
    return value[:12] if isinstance(value, str) else f"{value:g}"
