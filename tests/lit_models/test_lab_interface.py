"""The names of the FSDL lab 2022 that its notebook uses, as it uses them."""

import pytest
import torch

import text_recognizer.data
import text_recognizer.lit_models
import text_recognizer.models
from text_recognizer.models import transformer_util

DATA = ("EMNIST", "EMNISTLines", "IAMLines", "IAMParagraphs", "IAMSyntheticParagraphs")
DATA += ("IAMOriginalAndSyntheticParagraphs",)


@pytest.mark.parametrize("name", DATA)
def test_a_data_module_is_made_without_arguments(name):
    assert getattr(text_recognizer.data, name)().mapping


def test_a_line_network_is_made_from_the_config_of_lines():
    lines = text_recognizer.data.EMNISTLines()
    network = text_recognizer.models.LineCNNSimple(lines.config())
    assert network(torch.zeros(1, *lines.input_dims)).shape[:2] == (1, len(lines.mapping))


def test_positions_and_mask_are_made_as_in_the_lab():
    assert transformer_util.generate_square_subsequent_mask(100).shape == (100, 100)
    encoder = transformer_util.PositionalEncoding(d_model=50, dropout=0.0, max_len=200)
    assert encoder.pe.squeeze().T.shape == (50, 200)


def test_the_page_reader_encodes_decodes_and_is_trained_with_teacher_forcing(printed_split, tmp_path):
    pages = [("to be",), ("a sea",)]
    for split in ("train", "validation", "test"):
        printed_split(pages).save(tmp_path, split)
    paragraphs = text_recognizer.data.IAMParagraphs(tmp_path, batch_size=2)
    paragraphs.prepare_data()
    paragraphs.setup()
    xs, ys = next(iter(paragraphs.val_dataloader()))
    rnt = text_recognizer.models.ResnetTransformer(data_config=paragraphs.config())
    (embedding,) = rnt.resnet(xs[:1].repeat(1, 3, 1, 1))
    assert embedding.shape == (512, 2, 4)
    (predictions,) = rnt(xs[:1])
    assert predictions.shape == (paragraphs.output_dims[0],)
    lit = text_recognizer.lit_models.TransformerLitModel(rnt)
    (forced,) = lit.teacher_forward(xs[:1], ys[:1])
    assert forced.shape == (len(paragraphs.mapping), ys.shape[1])
    assert torch.isfinite(lit.training_step((xs, ys), 0))
