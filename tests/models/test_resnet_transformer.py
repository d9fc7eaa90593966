"""The lab's ResnetTransformer: shapes, names of the weights, and decoding with and without a cache."""

from argparse import Namespace

import pytest
import torch

from text_recognizer.benchmarks.bench_decode import uncached
from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import ModelError
from text_recognizer.models import ResnetTransformer

SMALL = Namespace(tf_dim=32, tf_fc_dim=64, tf_layers=2, tf_nhead=4)
CONFIG = {"input_dims": (1, 64, 96), "output_dims": (40, 1), "mapping": CHARSET}
NOWHERE = -1


@pytest.fixture
def make():
    """Make a small model with random weights whose next token depends on the last ones, so that it emits many."""

    def model(seed: int = 0, **args) -> ResnetTransformer:
        torch.manual_seed(seed)
        network = ResnetTransformer(CONFIG, Namespace(**vars(SMALL) | args)).eval()
        with torch.no_grad():
            network.embedding.weight.mul_(10)
            for layer in network.transformer_decoder.layers:
                layer.multihead_attn.out_proj.weight.mul_(0.3)
        return network

    return model


def pages(count: int, seed: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    shades = torch.rand(count, 1, 1, 1, generator=generator)
    return torch.rand(count, 1, 64, 96, generator=generator) * shades


def endless(model: ResnetTransformer) -> ResnetTransformer:
    """Change the model so that no token ends a row."""
    model.end_token = model.padding_token = NOWHERE
    return model


# --- shapes and layout


def test_a_page_becomes_positions_row_by_row_and_tokens_become_logits(make):
    model = make()
    memory = model.encode(pages(3))
    logits = model.decode(memory, torch.full((3, 7), model.start_token))
    assert memory.shape == (2 * 3, 3, 32)
    assert logits.shape == (7, 3, len(CHARSET))
    assert model(pages(3)).shape == (3, 40)
    assert model.ctc(memory).shape == (3, 6 * 4, len(CHARSET))


def test_a_grey_page_is_read_as_the_same_page_in_colour(make):
    model = make()
    grey = pages(2)
    assert torch.allclose(model.encode(grey), model.encode(grey.repeat(1, 3, 1, 1)), atol=1e-5)


def test_ctc_takes_the_rows_of_a_page_one_after_another(make):
    # Given a page whose position p holds p everywhere
    model = make()
    memory = torch.arange(6.0)[:, None, None].expand(6, 1, 32)
    with torch.no_grad():
        model.ctc_head.weight.fill_(1 / 32)
        model.ctc_head.bias.zero_()
        columns = model.ctc(memory)[0, :, 0]
    # Then each stands for four columns, in order
    assert torch.allclose(columns, torch.arange(6.0).repeat_interleave(4), atol=1e-5)


def test_no_position_depends_on_a_later_token(make):
    model = make()
    memory = model.encode(pages(1))
    y = torch.randint(4, len(CHARSET), (1, 12), generator=torch.Generator().manual_seed(1))
    changed = y.clone()
    changed[0, 8:] = 5
    before, after = model.decode(memory, y), model.decode(memory, changed)
    assert torch.allclose(before[:8], after[:8], atol=1e-5)
    assert not torch.allclose(before[8], after[8], atol=1e-3)


def test_a_network_of_the_default_size_is_the_one_of_the_lab():
    model = ResnetTransformer({"input_dims": (1, 576, 640), "output_dims": (682, 1), "mapping": CHARSET})
    layer = model.transformer_decoder.layers[3]
    assert (len(model.transformer_decoder.layers), layer.self_attn.num_heads) == (4, 4)
    assert layer.linear1.weight.shape == (1024, 256)
    assert model.dec_pos_encoder.pe.shape == (682, 1, 256)
    assert model.y_mask.shape == (682, 682)
    rest = sum(p.numel() for name, p in model.named_parameters() if not name.startswith("ctc_head"))
    # ResNet-18 without its classes, the projection, the embedding, the output, four layers of the decoder
    assert rest == 11_176_512 + 131_328 + len(CHARSET) * (256 + 257) + 4 * 1_053_440


# --- tokens


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.slow
def test_the_cache_gives_the_tokens_of_decoding_the_whole_prefix(make, count, seed):
    model = endless(make(seed))
    tokens = model(pages(count))
    assert torch.equal(tokens, uncached(model, pages(count)))
    assert tokens.unique().numel() > 6, "rows of one token would prove little"


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("when", ["at once", "early", "late"])
@pytest.mark.slow
def test_rows_that_end_are_padded_as_without_a_cache(make, count, when):
    # Given a model whose end is a token that comes at once, early, or late in some row
    model = endless(make(3))
    first_seen = {}
    for row in model(pages(count)).tolist():
        for position, token in enumerate(row[1:], start=1):
            first_seen.setdefault(token, position)
    order = sorted(first_seen, key=first_seen.get)
    model.end_token = order[{"at once": 0, "early": len(order) // 2, "late": -1}[when]]
    model.padding_token = CHARSET.index("<P>")
    # When it decodes
    tokens = model(pages(count))
    # Then the tokens are those of the loop without a cache, and then padding
    assert torch.equal(tokens, uncached(model, pages(count)))
    ends = (tokens == model.end_token).long()
    assert ends.sum(dim=1).max() == 1
    assert (tokens[ends.cumsum(dim=1) - ends > 0] == model.padding_token).all()
    assert (ends.sum() > 0).item()


@pytest.mark.slow
def test_in_half_precision_each_token_is_the_best_or_as_good_as_the_best(make):
    # Given a model in bfloat16, which keeps 8 bits of a number
    model = endless(make(1)).bfloat16()
    ink = pages(8).bfloat16()
    tokens = model(ink)
    # When the whole prefix is decoded at once
    with torch.no_grad():
        logits = model.decode(model.encode(ink), tokens[:, :-1]).float().permute(1, 0, 2)  # (B, T, C)
    # Then a chosen token is below the best by rounding at most: a few units in the last place of the logits
    chosen = logits.gather(2, tokens[:, 1:, None])[:, :, 0]
    short = logits.amax(dim=2) - chosen
    assert short.max() <= 8 * 2**-8 * logits.abs().max()
    assert (short == 0).float().mean() > 0.9


def test_decoding_needs_no_gradient_and_keeps_the_mode(make):
    model = make().train()
    tokens = model(pages(1))
    assert not tokens.requires_grad
    assert model.training


# --- beam search and repetitions


@pytest.mark.slow
def test_a_beam_with_all_sequences_finds_the_likeliest_one():
    # Given rows of two tokens after the start
    torch.manual_seed(0)
    config = {**CONFIG, "output_dims": (3, 1), "mapping": CHARSET[:8]}
    model = endless(ResnetTransformer(config, Namespace(**vars(SMALL), beam_width=8)).eval())
    with torch.no_grad():
        model.fc.weight.mul_(20)
    ink = pages(3)
    memory = model.encode(ink)
    best = []
    for page in range(3):
        scores = {}
        for a in range(8):
            for b in range(8):
                y = torch.tensor([[model.start_token, a, b]])
                logs = model.decode(memory[:, page : page + 1], y[:, :2]).log_softmax(dim=2)[:, 0]
                scores[(a, b)] = (logs[0, a] + logs[1, b]).item()
        best.append(list(max(scores, key=scores.get)))
    assert model(ink)[:, 1:].tolist() == best


def test_a_wider_beam_finds_no_less_likely_sequence(make):
    model = endless(make(2))
    narrow = model(pages(4))
    model.beam_width = 4
    wide = model(pages(4))
    memory = model.encode(pages(4))

    def score(y):
        logs = model.decode(memory, y[:, :-1]).log_softmax(dim=2).permute(1, 0, 2)
        return logs.gather(2, y[:, 1:, None]).sum(dim=(1, 2))

    assert (score(wide) >= score(narrow) - 1e-3).all()


def test_a_text_that_repeats_itself_is_ended_if_max_repeats_is_set(make):
    model = endless(make(2))
    free = model(pages(1))[0].tolist()
    model.max_repeats, model.end_token, model.padding_token = 5, 2, 3
    guarded = model(pages(1))[0].tolist()
    end = guarded.index(2)
    assert guarded[:end] == free[:end]
    assert set(guarded[end + 1 :]) == {3}
    # The row ended at a phrase that came five times
    assert any(free[end - p : end] * 5 == free[end - p : end + 4 * p] for p in range(1, 17) if end - p > 0)


# --- weights


def lab_weights(model: ResnetTransformer) -> dict:
    """The weights as files of the lab hold them: without the CTC head, and with the positions of older versions."""
    state = {name: value for name, value in model.state_dict().items() if not name.startswith("ctc_head")}
    recomputed = {"enc_pos_encoder.pe": torch.zeros(32, 64, 96), "y_mask": torch.zeros(40, 40)}
    return {**state, **recomputed, "dec_pos_encoder.pe": torch.zeros(40, 1, 32)}


@pytest.mark.slow
def test_weights_of_the_lab_load_and_give_the_same_tokens(make):
    theirs, ours = endless(make(0)), endless(make(1))
    ours.load_state_dict(lab_weights(theirs))
    assert torch.equal(ours(pages(2)), theirs(pages(2)))


def test_the_names_of_the_weights_are_those_of_the_lab(make):
    names = {name.rsplit(".", 1)[0] for name in make().state_dict()}
    assert {"resnet.0", "resnet.4.0.conv1", "resnet.7.1.bn2", "encoder_projection", "embedding", "fc"} <= names
    assert {"transformer_decoder.layers.1.self_attn", "transformer_decoder.layers.1.multihead_attn.out_proj"} <= names


def test_weights_that_do_not_fit_are_refused_by_name(make):
    state = make().state_dict()
    state["fc.weight"] = torch.zeros(7, 32)
    state["extra.bias"] = torch.zeros(1)
    del state["embedding.weight"]
    with pytest.raises(ModelError) as refused:
        make().load_state_dict(state)
    text = refused.value.what
    assert "embedding.weight: missing" in text
    assert f"fc.weight: (7, 32) in the file, ({len(CHARSET)}, 32) in the model" in text
    assert "extra.bias: unknown" in text
