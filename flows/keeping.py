"""Keep what a run of the pipeline made: commit it, push it to DVC's remote, and give its corpus a version."""

from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows.stage_tasks import RETRY_SECONDS, is_temporary
from text_recognizer.core import config
from text_recognizer.release.corpus_versions import keep_corpus
from text_recognizer.release.git import Git
from text_recognizer.release.results_commit import commit_results
from text_recognizer.release.store import keep_given


def commit_run(project: Path, reason: str) -> None:
    """Commit what the run made and was given, if there is anything new."""
    keep_given(Git(project))
    if commit := commit_results(project, f"Results of a run of the pipeline: {reason}"):
        get_run_logger().info("committed the results as %s", commit[:12])


@task(
    name="push",
    task_run_name="push",
    cache_policy=NO_CACHE,
    retries=len(RETRY_SECONDS),
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=is_temporary,
)
def push_run(project: Path) -> None:
    """Push the last commit's data and model to DVC's remote, if there is one, and give the corpus a version.

    Raises NotPushedError if the remote is away. The commit stays, and the next run pushes what is missing.
    """
    pushed, corpus = keep_corpus(project, config.load(project / config.PARAMS_FILE).promote)
    version = f"the corpus is {corpus.tag}" if corpus else "the commit has no accepted corpus"
    get_run_logger().info("pushed %d files to DVC's remote; %s", pushed, version)
