"""What the n-gram of a reader is counted on."""

import pytest

from text_recognizer.errors import DataError
from text_recognizer.text import INDEX, MAPPING, encode
from text_recognizer.training.spelling import learn_spelling


def likelier(speller, context):
    followers = speller.ngram.after(tuple(encode(context)))
    return max(range(len(MAPPING)), key=followers.log)


def test_it_is_counted_on_the_training_pages_alone(processed, language):
    speller = learn_spelling(processed, language)
    seen = {int(gram) for gram in speller.ngram.grams[0]}
    assert INDEX["m"] in seen  # "a mat" is a training page
    assert INDEX["q"] not in seen


def test_texts_are_counted_as_well(processed, language, tmp_path):
    (tmp_path / "more.txt").write_text("quiz quiz\nquiz “quiz”\n", encoding="utf-8")
    more = learn_spelling(processed, language.model_copy(update={"texts": (str(tmp_path / "more.txt"),)}))
    assert likelier(more, "qu") == INDEX["i"]
    assert likelier(more, ' "') == INDEX["q"]


def test_the_brown_corpus_is_counted_without_its_tags(processed, language, tmp_path):
    (tmp_path / "ca01").write_text("Quiz/nn !/. Quiz/nn ~/nil\n", encoding="utf-8")
    (tmp_path / "ca02").write_text("A/at quiz/nn ./.\n", encoding="utf-8")
    more = learn_spelling(processed, language.model_copy(update={"texts": (str(tmp_path),)}))
    assert likelier(more, "qu") == INDEX["i"]
    assert {INDEX["/"], INDEX["Q"]}.isdisjoint(int(gram) for gram in more.ngram.grams[0])


def test_a_paragraph_with_a_strange_character_is_left_out(processed, language, tmp_path):
    (tmp_path / "more.txt").write_text("quiz\nñandú vixen\n", encoding="utf-8")
    more = learn_spelling(processed, language.model_copy(update={"texts": (str(tmp_path / "more.txt"),)}))
    assert INDEX["x"] not in {int(gram) for gram in more.ngram.grams[0]}


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"\xff", "not UTF-8"), (b"\n", "no line")])
def test_a_text_that_cannot_be_used_is_named(processed, language, tmp_path, content, words):
    path = tmp_path / "more.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"more\.txt.*{words}"):
        learn_spelling(processed, language.model_copy(update={"texts": (str(path),)}))


def test_an_order_of_zero_makes_none(processed, language):
    assert learn_spelling(processed, language.model_copy(update={"order": 0})) is None
