"""The gate's verdict, `reports/verdict.json`, as the bundle stage and the served model read it. It fails closed."""

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from text_recognizer.errors import TextRecognizerError

AGAIN = "run `text-recognizer gate` to judge the model again"
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Kind = TypeVar("Kind", bound=BaseModel)


class Rule(BaseModel):
    """One rule of the gate and what it found; `value` and `limit` are for people to read."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: str
    passed: bool
    reason: str = ""
    limit: Any = None
    value: Any = None


class Override(BaseModel):
    """Who let a model miss which rules, and why."""

    model_config = ConfigDict(frozen=True, strict=True)

    rules: Annotated[list[str], Field(min_length=1)]
    by: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]


class Ruling(BaseModel):
    """What every verdict says, one that could not judge anything included."""

    model_config = ConfigDict(frozen=True, strict=True)

    passed: bool
    rules: Annotated[list[Rule], Field(min_length=1)]
    override: Override | None = None


class Verdict(Ruling):
    """What a verdict that passed says: `model` and `data` are sha256 digests, CER is a share of the characters."""

    model: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    cer: Rate
    cer_interval: Annotated[list[Rate], Field(min_length=2, max_length=2)]
    data: str | None = None
    pages: int | None = None


def accepted(path: Path, digest: str) -> Verdict:
    """The verdict at `path`, provided that it passed the very model of this digest.

    Raises TextRecognizerError, naming what failed, for any other, and where there is none or it lacks something.
    """
    raw = _load(path)
    ruling = _parse(Ruling, raw, path)
    let_pass = ruling.override.rules if ruling.override else []
    missed = [rule for rule in ruling.rules if not rule.passed and rule.name not in let_pass]
    failed = [f"{rule.name} ({rule.reason or 'no reason given'})" for rule in missed]
    if failed or not ruling.passed:
        named = "; ".join(failed) or "it names no failed rule, but says that the model did not pass"
        fix = "train a better model; the limits are the section gate of params.yaml"
        raise TextRecognizerError(f"{path} rejects the model: {named}", fix)
    verdict = _parse(Verdict, raw, path)
    if verdict.model != digest:
        raise TextRecognizerError(
            f"{path} judged another model ({verdict.model[:12]}) than this one ({digest[:12]})",
            "run `text-recognizer evaluate` and `text-recognizer gate` again",
        )
    return verdict


def _load(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TextRecognizerError(f"{path} does not exist: the model has no verdict", AGAIN) from None
    except (OSError, ValueError, RecursionError) as error:
        raise TextRecognizerError(f"{path} cannot be read as a verdict: {error}", AGAIN) from None


def _parse(kind: type[Kind], raw: object, path: Path) -> Kind:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise TextRecognizerError(f"{path} is no verdict: {where}: {first['msg']}", AGAIN) from None
