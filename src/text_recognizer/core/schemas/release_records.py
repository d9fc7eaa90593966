"""Records of the gate and the registry: verdicts, versions, and the model in service."""

from typing import Annotated, Literal

from pydantic import Field

from text_recognizer.core.schemas.record_types import Count, Digest, Figures, Interval, Rate

RuleFigure = int | float | str  # a figure of a rule; an integer stays an integer


class RuleResult(Figures):
    """One rule of the gate and what it found. `value` is None if the score has no usable value."""

    name: str
    passed: bool
    reason: str = ""
    limit: RuleFigure | None = None
    value: RuleFigure | None = None


class Override(Figures):
    """The failed rules that a person accepts: which, who, and why."""

    rules: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    by: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]


class ChampionName(Figures):
    """The model that a verdict compared with."""

    version: str
    model: Digest


class Verdict(Figures):
    """Whether a model may be released: each rule's result, and the figures of the score that it judged."""

    passed: bool
    rules: Annotated[tuple[RuleResult, ...], Field(min_length=1, strict=False)]
    basis: Annotated[str, Field(description="what the model was judged by, in words")]
    model: Digest | None = None
    data: Digest | None = None
    cer: Rate | None = None
    cer_interval: Interval | None = None
    pages: Count | None = None
    champion: ChampionName | None = None
    override: Override | None = None
    version: Annotated[str | None, Field(description="the version that the registry gave the model")] = None

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        """The rules that failed, overridden ones included."""
        return tuple(rule for rule in self.rules if not rule.passed)


class PassedVerdict(Verdict):
    """A verdict that lets a model be served: it names the model and its CER."""

    model: Digest
    cer: Rate
    cer_interval: Interval


EntryKind = Literal["register", "promote", "rollback"]


class TagRecord(Figures):
    """The JSON in a git tag of the registry: a version (`register`), or an assignment of a version to service.

    Of a corpus, `data` is the digest of its parts, and `pages` counts its forms.
    """

    kind: EntryKind = "register"
    version: Annotated[str | None, Field(description="of an assignment: the version in service from now on")] = None
    previous: Annotated[str | None, Field(description="of a promotion: the version that was in service before")] = None
    rolled_back: Annotated[str | None, Field(description="of a rollback: the version that it replaced")] = None
    reason: Annotated[str | None, Field(description="of a rollback: why")] = None
    model: Digest | None = None
    data: Digest | None = None
    cer: Rate | None = None
    cer_interval: Interval | None = None
    pages: Count | None = None
    passed: bool | None = None
    verdict: Annotated[Verdict | None, Field(description="of an assignment: the verdict of the promotion")] = None


class RegistryEvent(Figures):
    """A version went into service. Times are ISO 8601, UTC."""

    when: str
    who: str
    kind: EntryKind
    reason: str | None


class RegistryEntry(Figures):
    """A version of the model, as `text-recognizer models --json` lists it. Times are ISO 8601, UTC."""

    version: str
    registered: str
    commit: str
    data: Digest | None
    pages: Count | None
    cer: Rate | None
    cer_interval: Interval | None
    verdict: Annotated[str, Field(description="accepted, refused, or overridden by whom")]
    in_service: bool
    model: Digest | None
    history: Annotated[tuple[RegistryEvent, ...], Field(strict=False)]
