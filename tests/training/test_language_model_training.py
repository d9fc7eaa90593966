"""What the language model of a reader is estimated from."""

import pytest

from text_recognizer.core.charset import INDEX, encode
from text_recognizer.core.errors import DataError
from text_recognizer.training.language_model_training import estimate_language_model


@pytest.fixture
def language(plan):
    return plan.language


@pytest.fixture
def estimate_with(processed, language, tmp_path):
    """Estimate a language model with the text of a file, or with a folder."""

    def estimate(content: str | bytes | None):
        path = tmp_path / "more.txt"
        if content is None:
            path = tmp_path
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        return estimate_language_model(processed, language.model_copy(update={"texts": (str(path),)}))

    return estimate


def likeliest(decoder, context):
    (after,) = decoder.ngram.next_characters.distributions_along(encode(context), encode("e"))
    return int(after.argmax())


def characters(decoder):
    return {int(gram) for gram in decoder.ngram.grams[0]}


def test_only_training_pages_are_counted(processed, language):
    seen = characters(estimate_language_model(processed, language))
    assert INDEX["m"] in seen  # "a mat" is a training page
    assert INDEX["q"] not in seen


def test_text_files_are_counted_too(estimate_with):
    more = estimate_with("quiz quiz\nquiz “quiz”\n")
    assert likeliest(more, "qu") == INDEX["i"]
    assert likeliest(more, ' "') == INDEX["q"]


def test_the_brown_corpus_is_counted_without_its_tags(estimate_with, tmp_path):
    (tmp_path / "ca01").write_text("Quiz/nn !/. Quiz/nn ~/nil\n", encoding="utf-8")
    (tmp_path / "ca02").write_text("A/at quiz/nn ./.\n", encoding="utf-8")
    more = estimate_with(None)
    assert likeliest(more, "qu") == INDEX["i"]
    assert {INDEX["/"], INDEX["Q"]}.isdisjoint(characters(more))


def test_a_paragraph_with_a_character_outside_the_charset_is_left_out(estimate_with):
    seen = characters(estimate_with("quiz\nñandú vixen\n"))
    assert INDEX["z"] in seen
    assert INDEX["x"] not in seen


@pytest.mark.parametrize("content", [b"\xff", b"\n"], ids=["not UTF-8", "empty"])
def test_a_text_that_cannot_be_used_is_refused_by_name(estimate_with, tmp_path, content):
    with pytest.raises(DataError) as refused:
        estimate_with(content)
    assert str(tmp_path / "more.txt") in refused.value.what


def test_a_missing_text_is_refused_by_name(processed, language, tmp_path):
    path = tmp_path / "missing.txt"
    with pytest.raises(DataError) as refused:
        estimate_language_model(processed, language.model_copy(update={"texts": (str(path),)}))
    assert str(path) in refused.value.what


def test_an_order_of_zero_gives_no_language_model(processed, language):
    assert estimate_language_model(processed, language.model_copy(update={"order": 0})) is None
