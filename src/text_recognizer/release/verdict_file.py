"""Read the gate's verdict file for the bundle stage and the service. Anything but a clear pass is an error."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.schemas import PassedVerdict, Verdict

JUDGE_AGAIN = "run `text-recognizer gate` to judge the model again"
Kind = TypeVar("Kind", bound=Verdict)


class NotReleasedError(TextRecognizerError):
    """A model has no verdict that lets it be served."""

    code = "not-released"


class RejectedModelError(NotReleasedError):
    """The gate judged a model and rejected it."""

    code = "rejected-model"


def require_passed(path: Path, digest: str) -> PassedVerdict:
    """Return the verdict at `path` if it passed the model of this digest.

    Raises RejectedModelError if the verdict rejects the model; NotReleasedError if the file is missing or damaged, or
    if it judged another model.
    """
    text = _read(path)
    verdict = _parse(Verdict, text, path)
    if verdict.model:
        _require_same(verdict.model, digest, path)
    _require_rules_passed(verdict, path)
    return _parse(PassedVerdict, text, path)


def _require_same(judged: str, digest: str, path: Path) -> None:
    if judged != digest:
        raise NotReleasedError(
            f"{path} judged the model {judged[:12]}, but this model is {digest[:12]}",
            "run `text-recognizer evaluate` and `text-recognizer gate` again",
        )


def _require_rules_passed(verdict: Verdict, path: Path) -> None:
    overridden = verdict.override.rules if verdict.override else ()
    failed = [rule for rule in verdict.failed if rule.name not in overridden]
    if verdict.passed and not failed:
        return
    reasons = "; ".join(f"{rule.name} ({rule.reason or 'no reason given'})" for rule in failed)
    fix = "train a better model; the limits are in the section gate of params.yaml"
    if verdict.passed:
        raise NotReleasedError(f"{path} says that the model passed, but it failed rules: {reasons}", JUDGE_AGAIN)
    raise RejectedModelError(f"{path} rejects the model: {reasons or 'the verdict names no failed rule'}", fix)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotReleasedError(f"{path} does not exist: the model has no verdict", JUDGE_AGAIN) from None
    except (OSError, ValueError) as error:
        raise NotReleasedError(f"{path} cannot be read: {error}", JUDGE_AGAIN) from None


def _parse(kind: type[Kind], text: str, path: Path) -> Kind:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise NotReleasedError(f"{path} is not a verdict: {where}: {first['msg']}", JUDGE_AGAIN) from None
