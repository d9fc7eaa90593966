"""Divide a corpus into parts for training, validation and test."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from text_recognizer.core.data_params import ShareSplit, Split
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_base import Corpus
from text_recognizer.corpora.iam_corpus import IamCorpus
from text_recognizer.corpora.page_lists import divide

Parts = dict[str, tuple[str, ...]]


def split_corpus(corpus: Corpus, split: Split) -> Parts:
    """Return the ids of the pages in each part.

    Raises DataError if there are no lists, or the format names no parts, or a list is wrong.
    """
    if isinstance(split, ShareSplit):
        return divide_by_shares({page.id: page.group for page in corpus.pages()}, split)
    if split == "lists":
        if lists := corpus.lists():
            return divide(lists, corpus.ids)
        raise DataError(
            f"{corpus.address} has no lists", "write train.list and validation.list, or set split to shares"
        )
    if parts := corpus.own_parts():
        return parts
    raise DataError(f"{corpus.address} names no parts of its own", "set split to lists or to shares")


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
    if isinstance(corpus, IamCorpus):
        return corpus.split
    if corpus.lists():
        return "lists"
    return "own" if corpus.own_parts() else ShareSplit()
