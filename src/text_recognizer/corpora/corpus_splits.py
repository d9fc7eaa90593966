"""Divide a corpus into parts for training, validation and test."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from text_recognizer.core.errors import DataError
from text_recognizer.core.params import Section, Seed, Share
from text_recognizer.corpora.corpus_base import Corpus, Format
from text_recognizer.corpora.page_lists import divide

Parts = dict[str, tuple[str, ...]]


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


# `lists`: train.list, validation.list and test.list. `own`: the parts that the format names.
Split = Literal["lists", "own"] | ShareSplit


class SourceEntry(Section):
    """One entry of `data.sources`: transcribed pages, and how they are used."""

    format: Annotated[Format, Field(description="iam, page, alto, text, lines or parquet")]
    address: Annotated[str, Field(min_length=1, description="a folder, a zip, a table or a Parquet file")]
    split: Annotated[Split, Field(description="lists, own, or shares of the pages")] = "lists"
    weight: Annotated[
        float, Field(gt=0, le=100, description="how often a page is trained on, beside other sources")
    ] = 1.0
    counts_in_gate: Annotated[bool, Field(description="whether the gate judges its test part")] = True


def split_corpus(corpus: Corpus, split: Split) -> Parts:
    """Return the ids of the pages in each part.

    Raises DataError if there are no lists, or the format names no parts, or a list is wrong.
    """
    if split == "own":
        if parts := corpus.own_parts():
            return parts
        raise DataError(f"{corpus.address} names no parts of its own", "set split to lists or to shares")
    if split == "lists":
        if lists := corpus.lists():
            return divide(lists, corpus.ids)
        raise DataError(
            f"{corpus.address} has no lists", "write train.list and validation.list, or set split to shares"
        )
    return divide_by_shares({page.id: page.group for page in corpus.pages()}, split)


def divide_by_shares(groups: Mapping[str, str], shares: ShareSplit) -> Parts:
    """Divide pages by their groups. `groups` is the group of each page. A part takes whole groups until it is full.

    The first group that does not fit into validation and test goes to training, so a single group is never divided.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for page_id, group in groups.items():
        members[group].append(page_id)
    names = sorted(members)
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    free = {part: round(getattr(shares, part) * len(groups)) for part in ("validation", "test")}
    for index in np.random.default_rng(shares.seed).permutation(len(names)):
        pages = members[names[index]]
        part = next((part for part, places in free.items() if len(pages) <= places), "train")
        if part in free:
            free[part] -= len(pages)
        parts[part] += pages
    return {part: tuple(sorted(pages)) for part, pages in parts.items()}


def suggested_split(corpus: Corpus) -> Split:
    """Return how a corpus is best divided: by its lists, else by its own parts, else by shares."""
    if corpus.lists():
        return "lists"
    return "own" if corpus.own_parts() else ShareSplit()
