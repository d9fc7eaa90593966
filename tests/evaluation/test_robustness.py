"""Robustness: what the perturbations do to a page, and the figures of a trained reader on perturbed pages."""

import numpy as np
import pytest

from text_recognizer.evaluation.robustness import PERTURBATIONS, blank_pages, labels


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda one: one.name)
def test_every_perturbation_but_the_baseline_changes_the_page(slanted_strokes, perturbation):
    page = slanted_strokes(10)
    assert perturbation.strengths
    for strength in perturbation.strengths:
        changed = perturbation.apply(page, strength)
        assert changed.dtype == np.uint8
        assert np.array_equal(changed, page) == (perturbation.name == "untouched")


def test_labels_are_unique_and_name_the_strength_if_there_are_several():
    assert len(set(labels())) == len(labels())
    assert {"untouched", "inverted", "rotated 2", "blurred 0.5"} <= set(labels())


def test_robustness_has_a_figure_for_each_perturbation_and_strength(evaluated):
    found = evaluated.score.robustness
    assert list(found.cer) == labels()
    assert [row.cer for row in found.perturbed] == list(found.cer.values())
    assert found.cer["inverted"] == found.cer["untouched"]
    assert found.pages == 1


def test_a_trained_reader_reads_nothing_on_blank_pages(evaluated):
    assert len(blank_pages((20, 30))) == 3
    assert evaluated.score.robustness.blank_characters == 0
