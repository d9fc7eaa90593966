"""The line classifier: answers for strips of any number and width, and what the pretrained network says."""

import cv2
import numpy as np
import pytest

from text_recognizer.core.errors import DataError, ModelError
from text_recognizer.inference.line_kind import (
    GRAPH_FILE,
    INFO_FILE,
    INPUT_HEIGHT,
    KINDS,
    MAX_WIDTH,
    NONE,
    PRINTED,
    WRITTEN,
    LineKindClassifier,
    line_kind_input,
    padded,
    unslanted,
)
from text_recognizer.pages.line_finding import ASSETS
from text_recognizer.utils.files import read_json_object, write_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def classifier():
    return LineKindClassifier.load(ASSETS, threads=1)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """The folder of a network with random weights, whose normalisation has the statistics of noise."""
    import torch

    from text_recognizer.models.line_kind_network import LineKindNetwork
    from text_recognizer.training.line_kind_export import export_line_kind

    torch.manual_seed(5)
    network = LineKindNetwork()
    for _ in range(20):
        network(torch.rand(4, 1, INPUT_HEIGHT, 64), torch.full((4,), 64))
    folder = tmp_path_factory.mktemp("line_kind")
    export_line_kind(network, folder, temperature=1.5, trained_on=("noise",), metrics={})
    return folder


def _noise(width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (96, width), dtype=np.uint8)


def test_an_input_is_the_ink_at_the_height_of_the_network():
    strip = np.full((96, 200), 255, dtype=np.uint8)
    strip[40:60, 100:140] = 0
    ink = line_kind_input(strip)
    assert ink.shape == (INPUT_HEIGHT, 100)
    assert ink[25, 60] == 1
    assert ink[0].max() == 0


def test_a_long_strip_is_cut_to_its_middle_and_a_short_one_is_widened():
    assert line_kind_input(_noise(9000)).shape == (INPUT_HEIGHT, MAX_WIDTH)
    assert line_kind_input(_noise(3)).shape[1] >= 16


def test_padding_is_paper_in_whole_cells():
    pictures, widths = padded([np.ones((INPUT_HEIGHT, 20), np.float32), np.ones((INPUT_HEIGHT, 33), np.float32)])
    assert pictures.shape == (2, 1, INPUT_HEIGHT, 40)
    assert widths.tolist() == [20, 33]
    assert pictures[0, 0, :, 20:].max() == 0


def test_a_slant_is_taken_from_an_input():
    leaning = np.zeros((INPUT_HEIGHT, 60), np.float32)
    for row in range(INPUT_HEIGHT):
        leaning[row, 42 - row // 2] = 1
    upright = unslanted(leaning, 0.5)
    assert upright.shape == (INPUT_HEIGHT, 60 + 24)
    assert np.flatnonzero(upright.sum(axis=0) > 2).tolist() in ([42, 43], [41, 42], [42])
    assert upright.sum() > 0.99 * leaning.sum()


def test_no_strips_give_no_rows(untrained):
    assert LineKindClassifier.load(untrained, threads=1).classify([]).shape == (0, len(KINDS))


def test_an_answer_does_not_depend_on_the_other_strips(untrained):
    classifier = LineKindClassifier.load(untrained, threads=1)
    strips = [_noise(width, seed) for seed, width in enumerate((900, 60, 333, 2500, 61, 1400))]
    together = classifier.classify(strips)
    alone = np.concatenate([classifier.classify([strip]) for strip in strips])
    assert together.shape == (len(strips), len(KINDS))
    assert np.allclose(together.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(together, alone, atol=1e-4)
    assert np.ptp(together[:, 0]) > 1e-4  # the strips differ, so there is an order to lose


def test_the_graph_computes_what_the_network_computes(untrained):
    import torch

    from text_recognizer.models.line_kind_network import LineKindNetwork

    torch.manual_seed(5)
    network = LineKindNetwork()
    for _ in range(20):
        network(torch.rand(4, 1, INPUT_HEIGHT, 64), torch.full((4,), 64))
    pictures, widths = padded([line_kind_input(_noise(width)) for width in (100, 500)])
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(pictures), torch.from_numpy(widths)).numpy()
    expected = np.exp(logits / 1.5)
    expected /= expected.sum(axis=1, keepdims=True)
    got = LineKindClassifier.load(untrained, threads=1).classify([_noise(100), _noise(500)])
    assert np.allclose(got, expected, atol=1e-4)


def test_a_changed_graph_is_refused(untrained, tmp_path):
    for name in (GRAPH_FILE, INFO_FILE):
        (tmp_path / name).write_bytes((untrained / name).read_bytes())
    with (tmp_path / GRAPH_FILE).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ModelError):
        LineKindClassifier.load(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError):
        LineKindClassifier.load(tmp_path / "nothing")


def test_a_description_for_other_labels_is_refused(untrained, tmp_path):
    info = read_json_object(untrained / INFO_FILE, "", "")
    write_json(tmp_path / INFO_FILE, {**info, "labels": ["yes", "no"]})
    (tmp_path / GRAPH_FILE).write_bytes((untrained / GRAPH_FILE).read_bytes())
    with pytest.raises(ModelError):
        LineKindClassifier.load(tmp_path)


def test_the_pretrained_network_keeps_handwriting(classifier):
    from text_recognizer.data.line_kind_drawings import written_strips

    strips = [strip.pixels for strip in written_strips(1, "validation")]
    kept = classifier.classify(strips)[:, WRITTEN] >= classifier.info.min_written
    assert len(strips) > 20
    assert kept.mean() > 0.97


def test_the_pretrained_network_leaves_out_rules_and_blank_paper(classifier):
    ruled = np.full((96, 700), 255, dtype=np.uint8)
    ruled[10::28] = 90
    blank = np.full((96, 300), 255, dtype=np.uint8)
    assert classifier.classify([ruled, blank]).argmax(axis=1).tolist() == [NONE, NONE]


def test_the_pretrained_network_leaves_out_print(classifier):
    strip = np.full((96, 900), 255, dtype=np.uint8)
    cv2.putText(strip, "Please print this page twice", (24, 64), cv2.FONT_HERSHEY_TRIPLEX, 1.6, 0, 2, cv2.LINE_AA)
    assert classifier.classify([strip])[0].argmax() == PRINTED


def _leaning(strip, slant):
    matrix = np.array([[1, -slant, slant * strip.shape[0]], [0, 1, 0]])
    return cv2.warpAffine(strip, matrix, (strip.shape[1] + round(slant * strip.shape[0]), 96), borderValue=255)


def _least_written(classifier, strips):
    return classifier.least_written(strips, classifier.classify(strips))[:, WRITTEN]


@pytest.mark.parametrize("face", [cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX])
@pytest.mark.parametrize("word", ["Contents", "Subject"])
def test_a_printed_word_that_leans_is_no_writing_once_it_is_upright(classifier, word, face):
    strip = np.full((96, 300), 255, dtype=np.uint8)
    cv2.putText(strip, word, (24, 62), face, 1.5, 0, 2, cv2.LINE_AA)
    assert _least_written(classifier, [_leaning(strip, 0.45)])[0] < 0.3


def test_writing_is_writing_at_every_slant(classifier):
    from text_recognizer.data.line_kind_drawings import written_strips

    strips = [_leaning(strip.pixels[:, :400], 0.3) for strip in written_strips(1, "validation")][:40]
    assert len(strips) > 20
    assert (_least_written(classifier, strips) >= classifier.info.min_written).mean() > 0.95


def test_strips_that_are_no_writing_are_not_looked_at_again(classifier):
    blank = np.full((96, 300), 255, dtype=np.uint8)
    answers = classifier.classify([blank])
    assert classifier.least_written([blank], answers).tolist() == answers.tolist()
    assert classifier.least_written([], np.zeros((0, len(KINDS)))).shape == (0, len(KINDS))
