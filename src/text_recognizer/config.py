"""`params.yaml` as strict, typed, frozen sections. A wrong key or value stops at once and says what is allowed.

Each section carries the name of the stage or room that it parametrises, so `dvc.yaml` can name it as a dependency.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from text_recognizer.errors import ConfigError

PARAMS_FILE = Path("params.yaml")
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=10)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Kind = Literal["synthetic", "fsdl", "iam", "archive"]


class Section(BaseModel):
    """Frozen; unknown keys and silent conversions (a string for a number) are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DataSection(Section):
    source: Annotated[str, Field(min_length=1, description="synthetic, fsdl, iam, or a path or URL: docs/data.md")]
    sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$", description="digest that the archive must have")]
    split: Annotated[
        Literal["lwitlrt", "lwitlrt-published", "aachen"], Field(description="which of the archive's splits to use")
    ]
    exclude: Annotated[tuple[str, ...], Field(strict=False, description="form ids to leave out")]


class SyntheticSection(Section):
    seed: Annotated[Seed, Field(description="every form is a function of this and its number")]
    train_forms: Annotated[int, Field(ge=1, le=100_000, description="forms in the training split")]
    validation_forms: Annotated[int, Field(ge=1, le=10_000, description="forms in the validation split")]
    test_forms: Annotated[int, Field(ge=1, le=10_000, description="forms in the test split")]
    forms_per_writer: Annotated[int, Field(ge=1, le=100, description="forms that one writer fills in")]
    page_width: Annotated[int, Field(ge=600, le=2479, description="px at 300 dpi; IAM's is 2479")]
    page_height: Annotated[int, Field(ge=400, le=3542, description="px at 300 dpi; IAM's is 3542")]
    lines_min: Annotated[int, Field(ge=1, le=20, description="fewest handwritten lines on a form")]
    lines_max: Annotated[int, Field(ge=1, le=20, description="most handwritten lines on a form")]
    dpi: Annotated[int, Field(ge=75, le=300, description="resolution of the pictures; boxes stay at 300")]
    workers: Annotated[int, Field(ge=0, le=256, description="processes that draw; 0 means one a core")]

    @model_validator(mode="after")
    def _lines_in_order(self) -> "SyntheticSection":
        if self.lines_min > self.lines_max:
            raise ValueError(f"lines_min ({self.lines_min}) must not be above lines_max ({self.lines_max})")
        return self


class ValidateSection(Section):
    min_forms: Annotated[int, Field(ge=1, le=100_000, description="fewest forms in each split")]
    max_lines: Annotated[int, Field(ge=1, le=100, description="most lines on a form")]
    ink_min: Annotated[Share, Field(description="smallest share of dark pixels inside a form's text region")]
    ink_max: Annotated[Share, Field(description="largest share of dark pixels inside a form's text region")]
    writers_apart: Annotated[bool, Field(description="whether a writer in two splits is an error")]
    max_drift: Annotated[Share, Field(description="most of the characters that may differ from the last accepted data")]
    max_change: Annotated[
        float, Field(gt=0, le=100, description="largest relative change of capitals, spaces, and lengths of lines")
    ]


class PreprocessSection(Section):
    dpi: Annotated[int, Field(ge=25, le=300, description="resolution of the crops")]
    canvas_height: Annotated[int, Field(ge=32, le=2048, multiple_of=16, description="px; a multiple of 16")]
    canvas_width: Annotated[int, Field(ge=32, le=2048, multiple_of=16, description="px; a multiple of 16")]
    padding: Annotated[int, Field(ge=0, le=64, description="px of paper kept around the text, at `dpi`")]
    workers: Annotated[int, Field(ge=0, le=256, description="processes that crop; 0 means one a core")]
    lines: Annotated[int, Field(ge=0, le=256, description="height of the lines packed on their own, px; 0: none")] = 0
    drawn: Annotated[int, Field(ge=0, le=100_000, description="synthetic forms that join the training split")] = 0
    binarise: Annotated[bool, Field(description="whether pixels are ink or paper before a crop is scaled")] = False
    runner: Annotated[
        Literal["local", "dask"],
        Field(description="who crops: processes of this machine, or the workers of a Dask cluster"),
    ] = "local"
    scheduler: Annotated[
        str | None,
        Field(pattern="^[a-z]+://.+", description="address of Dask's scheduler, tcp://host:8786 for instance"),
    ] = None

    @model_validator(mode="after")
    def _scheduler_named(self) -> "PreprocessSection":
        if self.runner == "dask" and not self.scheduler:
            raise ValueError("runner 'dask' needs the address of a scheduler: set preprocess.scheduler")
        return self


class TrainSection(Section):
    model_class: Annotated[Literal["ParagraphReader"], Field(description="which model to train")]
    start: Annotated[
        str | None, Field(min_length=1, description="model folder whose weights to start from; null starts anew")
    ]
    channels: Annotated[
        tuple[int, int, int, int], Field(strict=False, description="feature maps of the four stages of the encoder")
    ]
    blocks: Annotated[int, Field(ge=0, le=64, description="residual convolutions behind those four stages")]
    recurrent: Annotated[int, Field(ge=0, le=2048, description="LSTM cells a direction over each line; 0 is no LSTM")]
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of features dropped before the head")]
    hidden: Annotated[Share, Field(description="share of a line's columns hidden in training, in spans; 0 is none")]
    steps: Annotated[int, Field(ge=1, le=10_000_000, description="optimiser steps: the budget")]
    batch_size: Annotated[int, Field(ge=1, le=4096, description="paragraphs a step")]
    learning_rate: Annotated[float, Field(gt=0, le=1, description="AdamW's peak, falling to 0 by a cosine")]
    weight_decay: Annotated[float, Field(ge=0, le=1, description="AdamW's decoupled weight decay")]
    warmup: Annotated[Share, Field(description="share of the steps that warm up")]
    clip_norm: Annotated[float, Field(gt=0, le=1000, description="largest gradient norm")]
    augment: Annotated[Share, Field(description="strength of the augmentation; 0 is none")]
    elastic: Annotated[
        float, Field(ge=0, le=0.2, description="inches by which a page is bent here and there; 0 is none")
    ]
    recombined: Annotated[
        tuple[Share, Share],
        Field(strict=False, description="share of steps on recombined words and lines: at the start, at the end"),
    ]
    bucketed: Annotated[bool, Field(description="batches of pages about as tall: less that is empty, less chance")]
    average: Annotated[float, Field(ge=0, lt=1, description="decay a step of the averaged weights; 0 is no average")]
    validations: Annotated[int, Field(ge=1, le=10_000, description="times to validate and checkpoint in all")]
    accelerator: Annotated[Literal["auto", "cpu", "gpu"], Field(description="where to train")]
    precision: Annotated[Literal["32", "16-mixed", "bf16-mixed"], Field(description="numbers that the model uses")]
    threads: Annotated[int, Field(ge=0, le=1024, description="CPU threads; 0 leaves it to torch")]
    loaders: Annotated[int, Field(ge=0, le=256, description="processes that load pages; 0 loads between steps")]
    seed: Annotated[Seed, Field(description="weights, order and augmentation")]

    @field_validator("channels")
    @classmethod
    def _channels_in_range(cls, channels: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        if not all(1 <= count <= 4096 for count in channels):
            raise ValueError(f"each of {list(channels)} must be from 1 to 4096")
        return channels


class LanguageSection(Section):
    order: Annotated[int, Field(ge=0, le=8, description="longest run that the character n-gram counts; 0 is no n-gram")]
    weight: Annotated[float, Field(ge=0, le=10, description="of the n-gram's log-probabilities beside the network's")]
    bonus: Annotated[float, Field(ge=-10, le=10, description="log-probability added for every character that is read")]
    beam: Annotated[int, Field(ge=1, le=1000, description="readings of a line that are kept while it is read")]
    texts: Annotated[
        tuple[str, ...],
        Field(strict=False, description="text files, or the Brown corpus, to count as well; nothing of the test pages"),
    ]


class EvaluateSection(Section):
    batch_size: Annotated[int, Field(ge=1, le=4096, description="paragraphs read at once")]
    resamples: Annotated[int, Field(ge=100, le=1_000_000, description="bootstrap draws for the intervals")]
    level: Annotated[float, Field(gt=0.5, lt=1, description="confidence level of the intervals")]
    seed: Annotated[Seed, Field(description="of the bootstrap")]
    gallery: Annotated[int, Field(ge=0, le=1000, description="worst pages shown in the report")]
    review: Annotated[float, Field(gt=0, le=1, description="share of the words that somebody has time to re-read")]
    robustness: Annotated[int, Field(ge=0, le=10_000, description="pages read again, disturbed; the gate wants some")]


class GateSection(Section):
    max_cer: Annotated[
        dict[Literal[Kind, "default"], Rate],
        Field(
            min_length=1,
            description="largest test CER that may ship, by the kind of data.source; default: of any other",
        ),
    ]
    max_wer: Annotated[Rate, Field(description="largest test WER that may ship")]
    min_pages: Annotated[int, Field(ge=1, le=100_000, description="fewest test pages for a verdict")]
    max_interval: Annotated[Rate, Field(description="widest CER interval for a verdict")]
    max_slice_cer: Annotated[Rate, Field(description="largest CER of any slice of pages that is large enough")]
    min_slice_pages: Annotated[int, Field(ge=1, le=100_000, description="pages that a slice needs to be judged")]
    slices: Annotated[dict[str, Rate], Field(description="largest CER by the name of a slice, where one has its own")]
    max_calibration_error: Annotated[Share, Field(description="largest expected calibration error of the words")]
    max_disturbed: Annotated[dict[str, Rate], Field(description="largest CER by the name of a disturbance")]
    max_blank: Annotated[int, Field(ge=0, le=1000, description="most characters that may be read where there are none")]


class PromoteSection(Section):
    rule: Annotated[
        Literal["better", "not_worse"], Field(description="what a challenger must be, compared with the champion")
    ]
    margin: Annotated[Share, Field(description="CER by which 'not_worse' may be worse; 'better' leaves it out")]
    level: Annotated[float, Field(gt=0.5, lt=1, description="confidence that it is so")]
    resamples: Annotated[int, Field(ge=100, le=1_000_000, description="bootstrap draws over the writers")]
    seed: Annotated[Seed, Field(description="of the bootstrap")]
    max_seconds: Annotated[float, Field(gt=0, le=3600, description="longest a test page may take, on one CPU thread")]
    max_memory: Annotated[int, Field(ge=1, le=1_000_000, description="most memory that reading may take, in MiB")]
    git_remote: Annotated[
        str | None, Field(min_length=1, description="git remote that holds the registry; null keeps it in this clone")
    ]


class Params(Section):
    data: DataSection
    synthetic: SyntheticSection
    validate_: Annotated[ValidateSection, Field(alias="validate")]
    preprocess: PreprocessSection
    train: TrainSection
    language: LanguageSection
    evaluate: EvaluateSection
    gate: GateSection
    promote: PromoteSection


def load(path: Path = PARAMS_FILE) -> Params:
    """Reads and checks every section. Raises ConfigError with all problems at once."""
    return _checked(_read(path), path)


def merged(recipe: Path, path: Path = PARAMS_FILE) -> str:
    """`path` with the values that `recipe` gives instead, as YAML. Raises ConfigError as `load` does."""
    base, changes = _read(path), _read(recipe)
    _checked(base, path)
    for name, values in changes.items():
        both = isinstance(values, dict) and isinstance(base.get(name), dict)
        base[name] = {**base[name], **values} if both else values
    _checked(base, recipe)
    return yaml.safe_dump(base, sort_keys=False)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", "run from the project's folder, or name the file") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "name a file that can") from None
    except (yaml.YAMLError, ValueError) as error:
        # A date such as 2026-02-30, and bytes that are no text, come as a ValueError.
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}", "mend the line it names") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} holds no sections", f"it needs: {', '.join(_names(Params))}")
    return raw


def _checked(raw: dict[str, Any], path: Path) -> Params:
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        problems = [_explain(dict(item)) for item in error.errors()]
        raise ConfigError(f"{path}: " + "\n  ".join(problems), "change the values named, nothing was run") from None


def _names(section: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


def _section_at(path: tuple[Any, ...]) -> type[BaseModel]:
    section: type[BaseModel] = Params
    for key in path:
        for name, field in section.model_fields.items():
            if key in (name, field.alias) and isinstance(field.annotation, type):
                section = field.annotation
    return section


def _explain(error: dict[str, Any]) -> str:
    """One problem in words: the key, its value, what is allowed, and the nearest valid name."""
    location = tuple(error["loc"])
    dotted = ".".join(map(str, location))
    section = _section_at(location[:1]) if len(location) > 1 else Params
    key = str(location[:2][-1])
    if error["type"] in ("extra_forbidden", "invalid_key"):
        near = difflib.get_close_matches(key, _names(section), n=1, cutoff=0.0)
        return f"{dotted} = {error['input']!r}: unknown key; the nearest valid name is {near[0]!r}"
    if error["type"] == "value_error":
        return f"{dotted}: {error['ctx']['error']}"
    allowed = _allowed({field.alias or name: field for name, field in section.model_fields.items()}[key])
    # A list that is too short lacks an item, which has no name of its own.
    if error["type"] == "missing" and len(location) < 3:
        return f"{dotted}: missing; allowed: {allowed}"
    return f"{dotted} = {error['input']!r}: {error['msg']}; allowed: {allowed}"


def _allowed(field: FieldInfo) -> str:
    """A field's type and bounds in words, then what it means."""
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        kind = "one of " + ", ".join(map(str, get_args(annotation)))
    elif get_origin(annotation) is dict:
        kind = "a table of names and numbers"
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        return "a section with " + ", ".join(_names(annotation))
    else:
        kind = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    bounds = [
        f"{sign} {getattr(rule, attribute)}"
        for rule in field.metadata
        for attribute, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("multiple_of", "a multiple of"))
        if hasattr(rule, attribute)
    ]
    patterns = [f"matching {rule.pattern}" for rule in field.metadata if getattr(rule, "pattern", None)]
    return f"{' '.join([kind, ', '.join(bounds + patterns)]).strip()} ({field.description})"


def describe(params: Params) -> str:
    """Every parameter, one a line: its name and value, what is allowed, and what it means."""
    rows = []
    for name, field in Params.model_fields.items():
        section = getattr(params, name)
        for key, rule in type(section).model_fields.items():
            rows.append(f"{field.alias or name}.{key} = {getattr(section, key)!r}: {_allowed(rule)}")
    return "\n".join(rows)
