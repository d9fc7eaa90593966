"""Fetch a version's files: the model from DVC's cache or remote; its score, by revision, from git.

Importing the package `inference` takes half a second. A run that finds nothing to do needs no more than git here, so
the functions below import what they need.
"""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from text_recognizer.core.errors import TEMPORARY, DataError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.schemas import Verdict
from text_recognizer.release.git import Git, RegistryError
from text_recognizer.release.ledger import RegistryTag
from text_recognizer.release.score_figures import RawScore
from text_recognizer.utils.files import replace_atomically, sha256, write_json


class NotPushedError(RegistryError):
    """DVC's remote did not take what it was sent. The next try may succeed."""

    code = "not-pushed"
    exit_status = TEMPORARY


def fetch_version(git: Git, version: RegistryTag, folder: Path, verdict: Verdict | None) -> None:
    """Write a version's model, score, verdict and model card into `folder`, which must not exist.

    Raises RegistryError if DVC no longer has the model, or has another one than was registered.
    """
    from text_recognizer.release.model_card import write_card

    fetch_model(git, version, folder)
    (folder / LAYOUT.score.name).write_text(git.show(version.commit, LAYOUT.score) + "\n", encoding="utf-8")
    write_json(folder / LAYOUT.verdict.name, verdict.model_dump(mode="json") if verdict else {})
    # Scores of earlier versions of this program may lack what the card shows. Such a version is fetched without a card.
    with contextlib.suppress(DataError):
        write_card(folder, folder / LAYOUT.score.name, folder / LAYOUT.verdict.name)


def fetch_model(git: Git, version: RegistryTag, folder: Path) -> None:
    """Write a version's model folder and check it against the registered digest. Raises RegistryError."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc_data.index import DataIndexDirError

    from text_recognizer.inference.model_info import INFO_FILE

    try:
        files = DVCFileSystem(str(git.folder), rev=version.commit, config=_remotes(git))
        files.get(LAYOUT.model.as_posix(), str(folder), recursive=True)
    except (DvcException, DataIndexDirError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RegistryError(
            f"DVC cannot fetch {LAYOUT.model} of {version.version}: {' '.join(str(error).split())[:300]}",
            "run `dvc push` where the model was trained, or name the remote that has it in .dvc/config",
        ) from None
    info = folder / INFO_FILE
    if not info.is_file() or sha256(info) != version.record.model:
        raise RegistryError(
            f"DVC has another model as {LAYOUT.model} of {version.version} than the one that was registered",
            f"the registered model is {str(version.record.model)[:12]}; promote another version",
        )


def _remotes(git: Git) -> dict[str, Any]:
    """Return DVC's configuration of the remotes as it is now: an old version may name remotes that are gone."""
    from dvc.repo import Repo

    with Repo(str(git.folder)) as repo:
        name, known = repo.config["core"].get("remote"), repo.config["remote"]
        return {"core": {"remote": name}, "remote": dict(known)} if name else {}


def push(git: Git, *, required: bool, commit: str = "HEAD") -> int:
    """Send everything that dvc.lock names to DVC's remote, so that another clone can bring back the model and its data.

    With a `commit` before HEAD, what its dvc.lock names is sent too. Returns how many files the remote lacked. Without
    a remote nothing is sent, which is an error if it is `required`. Raises NotPushedError if the remote cannot be
    reached or does not take them.
    """
    from dvc.repo import Repo

    with Repo(str(git.folder)) as repo:
        if not repo.config["core"].get("remote"):
            if required:
                raise RegistryError(
                    "DVC has no remote, so no other machine could fetch the model",
                    "run `dvc remote add --default NAME URL`, or set promote.git_remote to null",
                )
            return 0
        try:
            earlier = git.run("rev-parse", commit) != git.run("rev-parse", "HEAD")
            return int(repo.push(revs=[commit] if earlier else None))
        # Every kind of remote has a library of its own, with its own errors.
        except Exception as error:  # noqa: BLE001
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            what = f"DVC cannot push to its remote: {reason}"
            raise NotPushedError(what, "`dvc push` shows what is wrong; the next run pushes what is missing") from None


def keep_given(git: Git) -> None:
    """Let DVC keep copies of what people gave and git does not hold: the corrections, and the files in `data/inputs`.

    The copies lie in `given`; `given.dvc` names them, and belongs in git. Raises RegistryError.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    given = git.folder / LAYOUT.given
    folders = (LAYOUT.feedback.as_posix(), LAYOUT.inputs.as_posix())
    names = [Path(name) for name in git.run("ls-files", "--others", "-z", "--", *folders).split("\0") if name]
    if not names and not given.with_suffix(".dvc").exists():
        return
    with replace_atomically(given) as draft:
        draft.mkdir()
        for name in names:
            copy = draft / name.relative_to(LAYOUT.feedback.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(git.folder / name, copy)
    try:
        with Repo(str(git.folder)) as repo:
            repo.add(str(given))
    except DvcException as error:
        raise RegistryError(f"DVC cannot keep {LAYOUT.given}: {error}", f"`dvc add {LAYOUT.given}` shows why") from None


def commit_of_model(git: Git) -> str:
    """Return the commit of the model that HEAD names: its dvc.lock names the data that the model was trained on.

    That is the last commit that changed the score: later ones may have newer data. It is HEAD if that commit has
    another model, because somebody committed the score and dvc.lock one by one.
    """
    head = git.run("rev-parse", "HEAD")
    commit = git.run("log", "-1", "--format=%H", "--", LAYOUT.score.as_posix())
    model = LAYOUT.model.as_posix()
    return commit if locked_outputs(git, commit).get(model) == locked_outputs(git, head).get(model) else head


def locked_outputs(git: Git, commit: str) -> dict[str, str]:
    """Return the digests of DVC of all outputs that dvc.lock names at a commit. Raises RegistryError."""
    try:
        stages = yaml.safe_load(git.show(commit, Path("dvc.lock")))["stages"].values()
        return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", ())}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(
            f"dvc.lock of {commit[:12]} cannot be read: {error}", "run `dvc repro`, and commit"
        ) from None


def committed_score(git: Git) -> RawScore:
    """Return the score at HEAD. Raises RegistryError if the working tree differs from what is committed."""
    from text_recognizer.inference.model_info import INFO_FILE

    _require_committed(git, [LAYOUT.score, LAYOUT.verdict, Path("dvc.lock"), Path("params.yaml")])
    try:
        score = json.loads(git.show("HEAD", LAYOUT.score))
    except ValueError as error:
        raise RegistryError(f"{LAYOUT.score} cannot be read: {error}", "run `dvc repro`, and commit") from None
    info = git.folder / LAYOUT.model / INFO_FILE
    if not isinstance(score, dict) or not info.is_file() or sha256(info) != score.get("model"):
        what = f"{LAYOUT.score} is not the score of the model in {LAYOUT.model}"
        raise RegistryError(what, "run `dvc repro`, and commit")
    return score


def _require_committed(git: Git, paths: list[Path]) -> None:
    for path in paths:
        if not git.succeeds("cat-file", "-e", f"HEAD:./{path.as_posix()}"):
            raise RegistryError(f"{path} is not in git, and a version is a commit", f"git add {path}, and commit")
    changed = git.run("diff", "--name-only", "--relative", "HEAD", "--", *map(str, paths))
    if changed:
        files = " ".join(changed.split())
        raise RegistryError(f"{files} differs from what is committed, and a version is a commit", f"git commit {files}")
