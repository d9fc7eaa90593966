"""The section `data` of `params.yaml`: the sources of pages, and how each is divided and used."""

import re
from typing import Annotated, Literal, get_args

from pydantic import Discriminator, Field, Tag, model_validator

from text_recognizer.core.sections import Section, Seed, Share

SourceFormat = Literal["iam", "page", "alto", "text", "lines", "parquet"]
IamSplit = Literal["lwitlrt", "lwitlrt-published", "aachen"]
# `lists`: train.list, validation.list and test.list. `own`: the parts that the format names.
NamedSplit = Literal["lwitlrt", "lwitlrt-published", "aachen", "lists", "own"]


class ShareSplit(Section):
    """Divide by groups (writers or documents) at random, so that each part has about its share of the pages."""

    validation: Annotated[Share, Field(description="share of the pages for validation")] = 0.1
    test: Annotated[Share, Field(description="share of the pages for the test")] = 0.1
    seed: Annotated[Seed, Field(description="of the choice of groups")] = 1

    @model_validator(mode="after")
    def _leaves_some(self) -> "ShareSplit":
        if self.validation + self.test >= 1:
            raise ValueError("validation and test must leave pages for training")
        return self


Split = NamedSplit | ShareSplit
# The members of a union, as the places of errors name them.
NAMED, SHARES = "split by name", "split by shares"


def _kind_of_split(value: object) -> str:
    return SHARES if isinstance(value, dict | ShareSplit) else NAMED


class SourceEntry(Section):
    """One entry of `data.sources`: transcribed pages, and how they are used."""

    address: Annotated[str, Field(min_length=1, description="synthetic, fsdl, iam, or a path or URL: docs/data.md")]
    split: Annotated[
        Annotated[NamedSplit, Tag(NAMED)] | Annotated[ShareSplit, Tag(SHARES)],
        Discriminator(_kind_of_split),
        Field(description="how the pages are divided"),
    ]
    format: Annotated[SourceFormat, Field(description="how pages and texts are kept")] = "iam"
    pictures: Annotated[
        str | None, Field(min_length=1, description="folder with the pictures of PAGE XML or ALTO, if not with them")
    ] = None
    name: Annotated[
        str | None, Field(pattern="^[A-Za-z0-9_]+$", description="in scores and file names; null: from the address")
    ] = None
    sha256: Annotated[
        str | None, Field(pattern="^[0-9a-f]{64}$", description="digest that the archive must have; null: any")
    ] = None
    weight: Annotated[
        float, Field(gt=0, le=100, description="how often a page is trained on, beside other sources")
    ] = 1.0
    counts_in_gate: Annotated[bool, Field(description="whether the gate judges its test part")] = True

    @model_validator(mode="after")
    def _split_suits_the_format(self) -> "SourceEntry":
        if isinstance(self.split, str) and (self.split in get_args(IamSplit)) != (self.format == "iam"):
            names = ", ".join(get_args(IamSplit)) if self.format == "iam" else "lists, own"
            raise ValueError(f"the format {self.format} has no split {self.split}; name {names} or shares")
        return self

    @property
    def label(self) -> str:
        """The name, or else the last part of the address without its suffix."""
        last = re.split(r"[?#]", self.address)[0].rstrip("/").rpartition("/")[2]
        return self.name or re.sub(r"[^A-Za-z0-9_]+", "_", last.partition(".")[0]).strip("_") or "source"

    @property
    def split_name(self) -> str:
        """The split as a text."""
        if isinstance(self.split, str):
            return self.split
        return f"shares {self.split.validation:g} and {self.split.test:g}, seed {self.split.seed}"


class DataSection(Section):
    sources: Annotated[tuple[SourceEntry, ...], Field(strict=False, description="where the pages come from")]
    exclude: Annotated[tuple[str, ...], Field(strict=False, description="form ids to leave out")]

    @model_validator(mode="after")
    def _sources_differ(self) -> "DataSection":
        labels = [entry.label for entry in self.sources]
        if repeated := [label for label in labels if labels.count(label) > 1]:
            raise ValueError(f"two sources are called {repeated[0]}: give one of them another name")
        if not self.sources:
            raise ValueError("sources must have an entry")
        if not any(entry.counts_in_gate for entry in self.sources):
            raise ValueError("no source has counts_in_gate, so the gate could judge nothing")
        return self

    @property
    def addresses(self) -> str:
        """The addresses of all sources, for messages and records."""
        return ", ".join(entry.address for entry in self.sources)

    @property
    def split_names(self) -> str:
        """The splits of all sources, for messages and records."""
        return ", ".join(entry.split_name for entry in self.sources)
