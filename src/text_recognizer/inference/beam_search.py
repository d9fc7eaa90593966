"""CTC prefix beam search with an n-gram language model, over all lines of a page at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.core.charset import BLANK_ID, SPECIAL
from text_recognizer.inference.alignment import greedy_text
from text_recognizer.inference.beams import (
    BLANK,
    CHARACTER,
    KEY,
    LANGUAGE,
    LINE,
    NODE,
    NOWHERE,
    PARENT,
    SLOT,
    TOTAL,
    Beams,
    Columns,
    PrefixTree,
)
from text_recognizer.inference.language_fit import language_shares
from text_recognizer.inference.language_model import SPACE, NGram
from text_recognizer.inference.ngram_keys import MAX_ORDER

BEAM_MARGIN = 12.0  # a prefix whose score is lower than the best one by more than this is dropped
BATCH_LINES = 32  # lines decoded at once; more of them are hardly faster
Context = tuple[int, ...]  # the ids before a line
TEXT_BEGINS: Context = (SPACE,)


@dataclass(frozen=True)
class BeamSearchDecoder:
    """A language model, and how shallow fusion weighs it.

    The score of a text is its CTC log-probability, plus `lm_weight` times its log-probability in the language model,
    plus `insertion_bonus` for every character. Both have a share of at least `min_lm_share` on a line that does not fit
    the language model: see `language_fit`.
    """

    ngram: NGram
    lm_weight: float
    insertion_bonus: float
    beam_width: int
    min_lm_share: float = 1.0

    def prepare(self, scores: Sequence[np.ndarray]) -> list["FusedLine"]:
        """Return lines, each (w, C), in reading order, with their contexts and their shares of the language model."""
        shares = language_shares(self.ngram, scores, self.min_lm_share)
        return [FusedLine(*line) for line in zip(scores, contexts_of(scores), shares, strict=True)]

    def decode(self, lines: Sequence["FusedLine"]) -> list[tuple[int, ...]]:
        """Return the ids of the text with the highest score, for each line.

        Prefix beam search after Hannun et al. 2014 ("First-pass large vocabulary continuous speech recognition using
        bi-directional recurrent DNNs"), on characters.
        """
        texts: list[tuple[int, ...]] = [()] * len(lines)
        order = sorted(range(len(lines)), key=lambda index: -len(lines[index].scores))
        for start in range(0, len(order), BATCH_LINES):
            chosen = order[start : start + BATCH_LINES]
            for index, text in zip(chosen, _Search(self, [lines[index] for index in chosen]).run(), strict=True):
                texts[index] = text
        return texts

    def fuse(self, line: "FusedLine", path: np.ndarray) -> np.ndarray:
        """Return the log-probabilities (w, C) after shallow fusion with the language model along a CTC path (w,).

        In the columns of a decoded character, the score of every other character changes by `lm_weight` times the
        difference between its log-probability in the language model and that of the decoded character. The results are
        not normalised. The confidence of a decoded character is then that of network and language model together.
        """
        written = path != BLANK_ID
        starts = written & np.append(True, path[1:] != path[:-1])
        text, owner = path[starts], np.cumsum(starts)[written] - 1
        expected = self.ngram.next_characters.distributions_along(line.context, text)
        gains = line.share * self.lm_weight * (expected - expected[np.arange(len(text)), text][:, None])
        out = line.scores.astype(np.float64)
        out[written, len(SPECIAL) :] += gains[owner, len(SPECIAL) :]
        return out


@dataclass(frozen=True, eq=False)
class FusedLine:
    """The log-probabilities (w, C) of a line, and how the language model is fused with them.

    `context` are the ids before the line; `share` is the share of `lm_weight` and of `insertion_bonus` that it has.
    """

    scores: np.ndarray
    context: Context = TEXT_BEGINS
    share: float = 1.0


def contexts_of(scores: Sequence[np.ndarray]) -> list[Context]:
    """Return what stands before each line, in reading order: the ends of the lines above, as the network alone reads.

    So the lines need not wait for each other.
    """
    contexts: list[Context] = []
    context = TEXT_BEGINS
    for line in scores:
        contexts.append(context)
        if text := greedy_text(line):
            context = (*context, *text, SPACE)[-MAX_ORDER:]
    return contexts


@dataclass(frozen=True)
class _Extensions:
    """Prefixes that one more character makes of others: arrays (M,).

    `source` says where the shorter prefix stands among the beams, `slots` which character is added. `acoustic` is the
    log-probability of the paths, `language` what the language model and the insertion bonus add.
    """

    source: np.ndarray
    slots: np.ndarray
    acoustic: np.ndarray
    language: np.ndarray


class _Search:
    """The search over the columns of several lines, the longest first."""

    def __init__(self, decoder: BeamSearchDecoder, lines: Sequence[FusedLine]) -> None:
        scores, shares = [line.scores for line in lines], np.array([line.share for line in lines])
        self._beam_width = decoder.beam_width
        self._lm_weights, self._bonuses = decoder.lm_weight * shares, decoder.insertion_bonus * shares
        self._model = decoder.ngram.next_characters
        self._keys = np.concatenate([self._model.keys_along(line.context) for line in lines])
        self._tree = PrefixTree(len(scores))
        self._columns = Columns.of(scores)
        self._classes = scores[0].shape[1]
        self._lengths = np.array([len(line) for line in scores])

    def run(self) -> list[tuple[int, ...]]:
        """Return the best text of each line."""
        lines = len(self._lengths)
        beams = Beams.empty_texts(self._classes, self._keys, self._model.weights(self._keys))
        best = beams.best
        for number in range(len(self._columns.logs)):
            active = int(np.count_nonzero(self._lengths > number))
            if active < lines:
                best[:lines], beams, lines = beams.best, beams.of_first(active), active
            beams = self._after(beams, number)
        best[:lines] = beams.best
        return self._tree.texts(best)

    def _after(self, beams: Beams, number: int) -> Beams:
        """Return the best prefixes after one more column: unchanged, or extended by a likely character."""
        kept, present = self._kept(beams, number)
        score = kept[TOTAL] + kept[LANGUAGE]
        best = np.maximum.reduceat(score, beams.starts)
        new = self._extensions(beams, number, best - BEAM_MARGIN, present)
        line = beams.ids[LINE]
        lines = np.concatenate([line, line[new.source]])
        scores = np.concatenate([score, new.acoustic + new.language])
        np.maximum.at(best, lines[len(line) :], scores[len(line) :])
        chosen, starts = self._best(lines, best[lines] - scores, len(best))
        return self._joined(beams, kept, new, chosen, starts)

    def _kept(self, beams: Beams, number: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Return the log-probabilities of all prefixes, unchanged, after one more column.

        A prefix that stands beside its parent gains what the extension of the parent would have. Return these
        extensions too: where the parents stand, and which of the likely characters is added.
        """
        ids, logs, columns = beams.ids, beams.logs, self._columns
        slot, total = ids[SLOT], logs[TOTAL]
        column = columns.logs[number]
        same = column[slot]
        kept = np.empty_like(logs)
        kept[BLANK] = total + column[ids[LINE] * self._classes + BLANK_ID]
        kept[CHARACTER] = logs[CHARACTER] + same
        kept[LANGUAGE] = logs[LANGUAGE]
        added, parent = columns.places[number][slot], self._tree.places(ids[NODE], ids[PARENT])
        child = ((ids[NODE][parent] == ids[PARENT]) & (added != NOWHERE)).nonzero()[0]
        parent = parent[child]
        before = np.where(slot[child] == slot[parent], logs[BLANK][parent], total[parent])
        kept[CHARACTER][child] = np.logaddexp(kept[CHARACTER][child], before + same[child])
        kept[TOTAL] = np.logaddexp(kept[BLANK], kept[CHARACTER])
        return kept, (parent, added[child])

    def _extensions(
        self, beams: Beams, number: int, lowest: np.ndarray, present: tuple[np.ndarray, np.ndarray]
    ) -> _Extensions:
        """Return all extensions by likely characters, without those `present` and some whose score is too low."""
        columns, line, slot = self._columns, beams.ids[LINE], beams.ids[SLOT]
        blank, total, language = beams.logs[BLANK], beams.logs[TOTAL], beams.logs[LANGUAGE]
        counts = columns.counts[number][line]
        shift = columns.starts[number][line] - counts.cumsum() + counts
        source = np.arange(len(line)).repeat(counts)
        added = np.arange(len(source)) + shift[source]
        # A repeated character is a new one only after a blank.
        before = np.where(columns.slots[added] == slot[source], blank[source], total[source])
        acoustic = before + columns.likely[added]
        # No character is more likely than certain in the language model.
        hopeful = acoustic >= (lowest[line] - language - self._bonuses[line])[source]
        hopeful[present[1] - shift[present[0]]] = False
        chosen = hopeful.nonzero()[0]
        source, slots = source[chosen], columns.slots[added[chosen]]
        expected = self._model.log_probabilities(
            beams.ids[KEY][source], beams.weights[:, source], slots % self._classes
        )
        of_line = line[source]
        fused = language[source] + self._lm_weights[of_line] * expected + self._bonuses[of_line]
        return _Extensions(source, slots, acoustic[chosen], fused)

    def _best(self, lines: np.ndarray, distance: np.ndarray, num_lines: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the best prefixes of each line in order, and where those of each line begin.

        `distance` is that of the score to the best one of the line.
        """
        close = (distance <= BEAM_MARGIN).nonzero()[0]
        lines = lines[close]
        order = (lines * (2 * BEAM_MARGIN) + distance[close]).argsort()
        close, lines = close[order], lines[order]
        counts = np.bincount(lines, minlength=num_lines)
        starts = counts.cumsum() - counts
        if counts.max() > self._beam_width:
            close = close[np.arange(len(close)) - starts[lines] < self._beam_width]
            counts = np.minimum(counts, self._beam_width)
            starts = counts.cumsum() - counts
        return close, starts

    def _joined(
        self, beams: Beams, kept: np.ndarray, new: _Extensions, chosen: np.ndarray, starts: np.ndarray
    ) -> Beams:
        """Return the chosen prefixes, of which the first ones are unchanged, and the others are extensions."""
        number = beams.ids.shape[1]
        origin = np.concatenate([np.arange(number), new.source])[chosen]
        ids, logs, weights = beams.ids[:, origin], kept[:, origin], beams.weights[:, origin]
        longer = (chosen >= number).nonzero()[0]
        which = chosen[longer] - number
        slots = new.slots[which]
        characters = slots % self._classes
        parents = ids[NODE][longer]
        keys = self._model.longer(ids[KEY][longer], characters)
        ids[PARENT][longer], ids[SLOT][longer], ids[KEY][longer] = parents, slots, keys
        ids[NODE][longer] = self._tree.extended(parents, characters)
        weights[:, longer] = self._model.weights(keys)
        logs[BLANK][longer], logs[LANGUAGE][longer] = -np.inf, new.language[which]
        logs[CHARACTER][longer] = logs[TOTAL][longer] = new.acoustic[which]
        return Beams(ids, logs, weights, starts)
