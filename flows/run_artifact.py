"""Show in Prefect what a run of the pipeline made: the verdict in sentences, its rules, the figures, the versions."""

from collections.abc import Sequence
from pathlib import Path

from prefect.artifacts import create_markdown_artifact

from flows.report_links import data_docs_links, link, table
from flows.summary import Row, read_report
from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import RuleResult, Verdict
from text_recognizer.release.git import Git


def publish_run(project: Path, rows: Sequence[Row], refusal: str = "") -> None:
    """Store the summary of a run as an artifact; `refusal` says why its model may not be released."""
    verdict = read_report(Verdict, Layout(project).verdict)
    text = markdown(verdict, rows, refusal, project)
    create_markdown_artifact(text, key="retrain", description="What the last run made, and how well it reads")


def markdown(verdict: Verdict, rows: Sequence[Row], refusal: str, project: Path) -> str:
    """Return the outcome, the model and the commit, the figures and every rule as Markdown."""
    files = Layout(project)
    outcome = "The model may be released" if not refusal else f"The model may not be released: {refusal}"
    model = f"Model `{verdict.model[:12]}`" if verdict.model else "No model"
    places = f"Data Docs: {data_docs_links(project)}. Report: {link(files.report, project)}."
    parts = [
        f"**{outcome}**",
        f"{model}, {_commit(project)}. {places}",
        table(("", ""), rows),
        table(("", "rule", "limit", "value", "what was found"), [_rule(rule) for rule in verdict.rules]),
    ]
    return "\n\n".join(parts) + "\n"


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
