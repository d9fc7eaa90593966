"""Every parameter of `params.yaml`: one strict, frozen section for each stage, with ranges and meanings.

Each section carries the name of the stage or package that it parametrises, so that `dvc.yaml` can name it.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from text_recognizer.core.data_params import DataSection
from text_recognizer.core.sections import Section, Seed, Share

Rate = Annotated[float, Field(gt=0, le=10)]
Kind = Literal["synthetic", "fsdl", "iam", "archive"]


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
    disjoint_writers: Annotated[bool, Field(description="whether a writer in two splits is an error")]
    max_drift: Annotated[Share, Field(description="most of the characters that may differ from the last accepted data")]
    max_change: Annotated[
        float, Field(gt=0, le=100, description="largest relative change of capitals, spaces, and lengths of lines")
    ]
    audit: Annotated[
        Literal["none", "report", "leave_out"],
        Field(description="whether a reader checks the training lines, and lines that disagree are left out"),
    ] = "none"
    audit_margin: Annotated[Share, Field(description="CER above the usual one from which a line disagrees")] = 0.3
    max_disagreeing: Annotated[Share, Field(description="largest share of the training lines that may disagree")] = 0.05


class PreprocessSection(Section):
    dpi: Annotated[int, Field(ge=25, le=300, description="resolution of the crops")]
    canvas_height: Annotated[int, Field(ge=32, le=2048, multiple_of=16, description="px; a multiple of 16")]
    canvas_width: Annotated[int, Field(ge=32, le=2048, multiple_of=16, description="px; a multiple of 16")]
    padding: Annotated[int, Field(ge=0, le=64, description="px of paper kept around the text, at `dpi`")]
    line_height: Annotated[int, Field(ge=0, le=256, description="px; height of single packed lines; 0 packs none")] = 0
    synthetic_forms: Annotated[
        int, Field(ge=0, le=100_000, description="synthetic forms added to the training split")
    ] = 0
    binarise: Annotated[bool, Field(description="threshold the pixels (Otsu) before a crop is scaled")] = False


class TrainSection(Section):
    model_class: Annotated[Literal["LineReader"], Field(description="which model to train")]
    init_from: Annotated[
        str | None, Field(min_length=1, description="model folder with the initial weights; null: random weights")
    ]
    channels: Annotated[
        tuple[int, int, int, int], Field(strict=False, description="feature maps of the four stages of the encoder")
    ]
    num_blocks: Annotated[int, Field(ge=0, le=64, description="residual convolutions after those four stages")]
    lstm_hidden: Annotated[int, Field(ge=0, le=2048, description="LSTM units per direction over a line; 0: no LSTM")]
    dropout: Annotated[float, Field(ge=0, lt=1, description="dropout before the head")]
    time_mask: Annotated[Share, Field(description="share of a line's columns masked in training, in spans; 0: none")]
    steps: Annotated[int, Field(ge=1, le=10_000_000, description="optimiser steps: the budget")]
    batch_size: Annotated[int, Field(ge=1, le=4096, description="pages per step")]
    learning_rate: Annotated[float, Field(gt=0, le=1, description="peak of AdamW's rate; falls to 0 by a cosine")]
    weight_decay: Annotated[float, Field(ge=0, le=1, description="AdamW's decoupled weight decay")]
    warmup: Annotated[Share, Field(description="share of the steps with a rising learning rate")]
    clip_norm: Annotated[float, Field(gt=0, le=1000, description="largest gradient norm")]
    augment: Annotated[Share, Field(description="strength of the augmentation; 0 is none")]
    elastic: Annotated[float, Field(ge=0, le=0.2, description="inches; size of the elastic distortion; 0: none")]
    recombined: Annotated[
        tuple[Share, Share],
        Field(strict=False, description="share of steps on recombined words and lines: at the start, at the end"),
    ]
    ema_decay: Annotated[float, Field(ge=0, lt=1, description="decay per step of the averaged weights (EMA); 0: none")]
    num_validations: Annotated[int, Field(ge=1, le=10_000, description="validations, each with a checkpoint, in all")]
    accelerator: Annotated[Literal["auto", "cpu", "gpu"], Field(description="where to train")]
    precision: Annotated[
        Literal["32", "16-mixed", "bf16-mixed"], Field(description="floating-point format of the training")
    ]
    seed: Annotated[Seed, Field(description="weights, order and augmentation")]

    @field_validator("channels")
    @classmethod
    def _channels_in_range(cls, channels: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        if not all(1 <= count <= 4096 for count in channels):
            raise ValueError(f"each of {list(channels)} must be from 1 to 4096")
        return channels


class LanguageSection(Section):
    order: Annotated[int, Field(ge=0, le=8, description="order of the character n-gram model; 0: no model")]
    lm_weight: Annotated[float, Field(ge=0, le=10, description="weight of the language model in shallow fusion")]
    insertion_bonus: Annotated[float, Field(ge=-10, le=10, description="log-probability added per character")]
    beam_width: Annotated[int, Field(ge=1, le=1000, description="prefixes kept by the beam search")]
    min_lm_share: Annotated[
        Share, Field(description="least share of lm_weight, on lines that do not fit the language model; 1: no bound")
    ] = 0.0
    texts: Annotated[
        tuple[str, ...],
        Field(strict=False, description="more training text: files, or the Brown corpus; never the text of test pages"),
    ]


class EvaluateSection(Section):
    resamples: Annotated[int, Field(ge=100, le=1_000_000, description="bootstrap draws for the intervals")]
    level: Annotated[float, Field(gt=0.5, lt=1, description="confidence level of the intervals")]
    seed: Annotated[Seed, Field(description="of the bootstrap")]
    gallery: Annotated[int, Field(ge=0, le=1000, description="worst pages shown in the report")]
    review_budget: Annotated[float, Field(gt=0, le=1, description="share of the words that a person can re-read")]
    robustness: Annotated[int, Field(ge=0, le=10_000, description="pages read again, perturbed; the gate needs some")]


class GateSection(Section):
    max_cer: Annotated[
        dict[Literal[Kind, "default"], Rate],
        Field(
            min_length=1,
            description="largest test CER that may ship, by the kind of source; default: of any other",
        ),
    ]
    max_wer: Annotated[Rate, Field(description="largest test WER that may ship")]
    min_pages: Annotated[int, Field(ge=1, le=100_000, description="fewest test pages for a verdict")]
    max_interval: Annotated[Rate, Field(description="widest CER interval for a verdict")]
    max_slice_cer: Annotated[Rate, Field(description="largest CER of any slice of pages that is large enough")]
    min_slice_pages: Annotated[int, Field(ge=1, le=100_000, description="pages that a slice needs to be judged")]
    slices: Annotated[dict[str, Rate], Field(description="largest CER by the name of a slice, where one has its own")]
    max_calibration_error: Annotated[Share, Field(description="largest expected calibration error of the words")]
    max_perturbed: Annotated[dict[str, Rate], Field(description="largest CER by the name of a perturbation")]
    max_blank: Annotated[int, Field(ge=0, le=1000, description="most characters that may be read on blank pages")]


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


class RuntimeSection(Section):
    """How the work is done on this machine. No value here changes a result, so no stage depends on it."""

    workers: Annotated[int, Field(ge=0, le=256, description="processes that draw, check and crop; 0: one per core")]
    runner: Annotated[Literal["local", "dask"], Field(description="who crops: this machine, or a Dask cluster")]
    scheduler: Annotated[str | None, Field(pattern="^[a-z]+://.+", description="Dask scheduler, as tcp://host:8786")]
    num_workers: Annotated[int, Field(ge=0, le=256, description="processes that load training pages; 0: none")]
    threads: Annotated[int, Field(ge=0, le=1024, description="CPU threads of the training; 0: torch decides")]

    @model_validator(mode="after")
    def _scheduler_named(self) -> "RuntimeSection":
        if self.runner == "dask" and not self.scheduler:
            raise ValueError("runner 'dask' needs the address of a scheduler: set runtime.scheduler")
        return self


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
    runtime: RuntimeSection


# Keys of earlier versions and what they are called now.
RENAMED = {
    "synthetic.workers": "runtime.workers",
    "validate.writers_apart": "validate.disjoint_writers",
    "preprocess.workers": "runtime.workers",
    "preprocess.lines": "preprocess.line_height",
    "preprocess.drawn": "preprocess.synthetic_forms",
    "preprocess.runner": "runtime.runner",
    "preprocess.scheduler": "runtime.scheduler",
    "train.start": "train.init_from",
    "train.blocks": "train.num_blocks",
    "train.recurrent": "train.lstm_hidden",
    "train.hidden": "train.time_mask",
    "train.average": "train.ema_decay",
    "train.validations": "train.num_validations",
    "train.loaders": "runtime.num_workers",
    "train.threads": "runtime.threads",
    "language.weight": "language.lm_weight",
    "language.bonus": "language.insertion_bonus",
    "language.beam": "language.beam_width",
    "evaluate.review": "evaluate.review_budget",
    "gate.max_disturbed": "gate.max_perturbed",
}
# Keys of earlier versions that no longer exist, and why.
ENTRY = "data.sources has an entry for each source, with its"
REMOVED = {
    "data.source": f"{ENTRY} address: docs/data.md",
    "data.split": f"{ENTRY} split",
    "data.sha256": f"{ENTRY} sha256",
    "evaluate.batch_size": "pages are read one by one",
    "train.bucket_by_height": "lines are trained on, not pages",
    "train.bucketed": "lines are trained on, not pages",
}
