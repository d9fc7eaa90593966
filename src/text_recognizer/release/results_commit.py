"""Commit what a run of the pipeline made: `dvc.lock`, its parameters, and the reports that git keeps."""

from pathlib import Path

from text_recognizer.core.layout import LAYOUT
from text_recognizer.release.git import Git

RESULTS = (
    Path("dvc.lock"),
    Path("params.yaml"),
    LAYOUT.given.with_suffix(".dvc"),
    LAYOUT.accepted,
    LAYOUT.metrics,
    LAYOUT.score,
    LAYOUT.validation,
    LAYOUT.verdict,
)


def commit_results(project: Path, message: str) -> str | None:
    """Commit the results that differ from HEAD, and return the new commit; None if nothing differs.

    Changes of other files, staged or not, stay as they are. Raises RegistryError if git refuses.
    """
    git = Git(project)
    named = [path.as_posix() for path in RESULTS]
    present = git.run("ls-files", "--cached", "--others", "--exclude-standard", "--", *named).splitlines()
    if not present or not git.run("status", "--porcelain", "--untracked-files=all", "--", *present):
        return None
    git.run("add", "--", *present)
    name, address = git.identity()
    who = ("-c", f"user.name={name}", "-c", f"user.email={address}")
    git.run(*who, "commit", "--quiet", "--only", f"--message={message}", "--", *present)
    return git.run("rev-parse", "HEAD")
