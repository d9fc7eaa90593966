"""A version's files: the model from DVC's cache or remote, its score and verdict from git, by revision."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

from text_recognizer import paths
from text_recognizer.errors import DataError
from text_recognizer.evaluation.card import write_card
from text_recognizer.files import replacing, sha256, write_json
from text_recognizer.inference.info import INFO_FILE
from text_recognizer.registry.git import Git, RegistryError
from text_recognizer.registry.ledger import Entry


def bring(git: Git, version: Entry, folder: Path, verdict: dict[str, Any]) -> None:
    """Puts a version's model, with score and verdict, into `folder`, whole or not at all.

    Raises RegistryError where DVC has lost the model, or it is not the one that was registered.
    """
    with replacing(folder) as draft:
        fill(git, version, draft, verdict)


def fill(git: Git, version: Entry, draft: Path, verdict: dict[str, Any]) -> None:
    """What `bring` brings, into a folder that does not exist yet."""
    fetch_model(git, version, draft)
    (draft / paths.SCORE.name).write_text(git.show(version.commit, paths.SCORE) + "\n", encoding="utf-8")
    write_json(draft / paths.VERDICT.name, verdict)
    # A version from before there were cards is brought all the same.
    with contextlib.suppress(DataError):
        write_card(draft, draft / paths.SCORE.name, draft / paths.VERDICT.name)


def fetch_model(git: Git, version: Entry, folder: Path) -> None:
    """The model folder of a version, checked against the digest that it was registered under."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc_data.index import DataIndexDirError

    try:
        files = DVCFileSystem(str(git.folder), rev=version.commit, config=_remotes(git))
        files.get(paths.MODEL.as_posix(), str(folder), recursive=True)
    except (DvcException, DataIndexDirError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RegistryError(
            f"DVC cannot bring {paths.MODEL} of {version.version}: {' '.join(str(error).split())[:300]}",
            "run `dvc push` where the model was trained, or name the remote that has it in .dvc/config",
        ) from None
    named = folder / INFO_FILE
    if not named.is_file() or sha256(named) != version.record.get("model"):
        raise RegistryError(
            f"what DVC has as {paths.MODEL} of {version.version} is not the model that was registered",
            f"the registered one is {str(version.record.get('model'))[:12]}; promote another version",
        )


def _remotes(git: Git) -> dict[str, Any]:
    """The remotes as this clone knows them now: a version may be older than they are."""
    from dvc.repo import Repo

    with Repo(str(git.folder)) as repo:
        name, known = repo.config["core"].get("remote"), repo.config["remote"]
        return {"core": {"remote": name}, "remote": dict(known)} if name else {}


def push(git: Git) -> None:
    """Sends what the current dvc.lock names to DVC's remote, so that other machines can have it."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(git.folder)) as repo:
            if not repo.config["core"].get("remote"):
                raise RegistryError(
                    "DVC has no remote, so no other machine could have the model",
                    "dvc remote add --default NAME URL, or set promote.git_remote to null",
                )
            repo.push([str(git.folder / path) for path in (paths.MODEL, paths.PAGES)])
    except DvcException as error:
        raise RegistryError(f"DVC cannot push the model: {error}", "see `dvc push`") from None


def committed(git: Git) -> dict[str, Any]:
    """The score at HEAD. Raises RegistryError unless what lies in the working tree is what is committed."""
    needed = [paths.SCORE, paths.VERDICT, Path("dvc.lock"), Path("params.yaml")]
    for path in needed:
        if not git.holds("cat-file", "-e", f"HEAD:./{path.as_posix()}"):
            raise RegistryError(f"{path} is not in git: a version is a commit", f"git add {path}, and commit")
    changed = git.run("diff", "--name-only", "--relative", "HEAD", "--", *map(str, needed))
    if changed:
        files = " ".join(changed.split())
        raise RegistryError(f"{files} differs from what is committed: a version is a commit", f"git commit {files}")
    try:
        score = json.loads(git.show("HEAD", paths.SCORE))
    except ValueError as error:
        raise RegistryError(f"{paths.SCORE} cannot be read: {error}", "run `dvc repro`, and commit") from None
    named = git.folder / paths.MODEL / INFO_FILE
    if not named.is_file() or not isinstance(score, dict) or sha256(named) != score.get("model"):
        raise RegistryError(
            f"{paths.SCORE} is not the score of the model in {paths.MODEL}", "run `dvc repro`, and commit"
        )
    return score
