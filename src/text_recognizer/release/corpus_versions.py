"""Keep each accepted corpus: push it to DVC's remote, and give it a version, a git tag such as `corpus@v2.0.0`."""

from pathlib import Path

from pydantic import ValidationError

from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.params import PromoteSection
from text_recognizer.core.schemas import TagRecord, ValidationSummary
from text_recognizer.release import store
from text_recognizer.release.git import Git, RegistryError
from text_recognizer.release.ledger import CORPUS, RegistryTag
from text_recognizer.release.promotion import open_registry
from text_recognizer.utils.files import json_digest

# What makes a corpus: the archives as they came, and the pages as they are trained on.
PARTS = (LAYOUT.raw, LAYOUT.found_lines, LAYOUT.processed)


def keep_corpus(project: Path, section: PromoteSection) -> tuple[int, RegistryTag | None]:
    """Push what the last commit names, and give its corpus a version if that has none.

    Returns how many files DVC's remote lacked, and the version; None if the commit has no corpus that a validation
    accepted. Raises NotPushedError if the remote is away; nothing is tagged then. Raises RegistryError if the registry
    cannot be written.
    """
    git = Git(project)
    pushed = store.push(git, required=bool(section.git_remote))
    record = accepted_corpus(git)
    if not record:
        return pushed, None
    with open_registry(project, section, CORPUS) as (_, ledger):
        return pushed, ledger.register(git.run("rev-parse", "HEAD"), record)


def accepted_corpus(git: Git) -> TagRecord | None:
    """Return the record of the corpus at HEAD, with its digest and its number of forms; None if it was not accepted.

    Raises RegistryError if nothing was committed yet that a pipeline made, or if a file of it is damaged.
    """
    outputs = store.locked_outputs(git, "HEAD")
    parts = {path.as_posix(): outputs.get(path.as_posix()) for path in PARTS}
    if not parts[LAYOUT.processed.as_posix()]:
        return None
    try:
        summary = ValidationSummary.model_validate_json(git.show("HEAD", LAYOUT.validation))
    except ValidationError as error:
        what = f"{LAYOUT.validation} cannot be read: {error.errors()[0]['msg']}"
        raise RegistryError(what, "run `dvc repro --force --single-item validate`, and commit") from None
    if not summary.passed:
        return None
    return TagRecord(data=json_digest(parts), pages=summary.counts.forms, passed=True)
