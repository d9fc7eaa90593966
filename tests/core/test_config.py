"""What `params.yaml` may hold, and the errors about anything else."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from text_recognizer.core import config
from text_recognizer.core.data_params import SourceEntry
from text_recognizer.core.errors import ConfigError
from text_recognizer.core.params import REMOVED, RENAMED, TrainSection

ROOT = Path(__file__).resolve().parents[2]
PARAMS = ROOT / "tests/params.yaml"


@pytest.fixture
def refusal(tmp_path):
    """Load the parameters of the tests after one change to them; return the message of the error that this raises."""

    def load(change):
        raw = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
        changed = change(raw)
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(raw if changed is None else changed), encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            config.load(path)
        assert str(path) in caught.value.what
        assert caught.value.fix
        return caught.value.what

    return load


def setting(section, key, value):
    return lambda raw: raw[section].update({key: value})


def test_the_shipped_parameters_are_valid(shipped):
    assert shipped.train.model_class == "LineReader"


def test_loaded_parameters_are_frozen(params):
    with pytest.raises(ValidationError, match="frozen"):
        params.train.steps = 1
    with pytest.raises(ValidationError, match="frozen"):
        params.data = None


def test_an_unknown_key_is_named_with_its_value_and_the_nearest_valid_name(refusal):
    what = refusal(setting("train", "learning_rat", 0.1))
    assert "train.learning_rat = 0.1: unknown key; the nearest valid name is 'learning_rate'" in what


@pytest.mark.parametrize(("old", "new"), sorted(RENAMED.items()))
def test_a_renamed_key_is_named_with_its_new_name(refusal, old, new):
    section, key = old.split(".")
    assert f"{old}: this key is now called {new}" in refusal(setting(section, key, 1))


@pytest.mark.parametrize(("old", "why"), sorted(REMOVED.items()))
def test_a_key_that_no_longer_exists_is_named_with_the_reason(refusal, old, why):
    section, key = old.split(".")
    assert f"{old}: this key no longer exists, because {why}" in refusal(setting(section, key, 1))


def test_an_unknown_section_is_named_with_the_nearest_valid_name(refusal):
    assert "trains = {}: unknown key; the nearest valid name is 'train'" in refusal(lambda raw: {**raw, "trains": {}})


@pytest.mark.parametrize(
    ("section", "key", "value", "allowed"),
    [
        ("train", "steps", "many", "int >= 1, <= 10000000"),
        ("train", "steps", "100", "int >= 1, <= 10000000"),
        ("train", "steps", 0, "int >= 1, <= 10000000"),
        ("train", "steps", True, "int >= 1, <= 10000000"),
        ("train", "dropout", 1.0, "float >= 0, < 1"),
        ("train", "dropout", float("nan"), "float >= 0, < 1"),
        ("train", "learning_rate", None, "float > 0, <= 1"),
        ("train", "augment", -0.1, "float >= 0, <= 1"),
        ("train", "model_class", "Oracle", "one of LineReader"),
        ("train", "precision", 32, 'one of "32", 16-mixed, bf16-mixed'),
        ("data", "exclude", "a01-000", "form ids to leave out"),
        ("data", "exclude", [7], "form ids to leave out"),
        ("preprocess", "canvas_width", 100, "a multiple of 16"),
        ("validate", "disjoint_writers", "yes", "whether a writer in two splits"),
        ("gate", "max_wer", -1, "float > 0, <= 10"),
        ("gate", "max_cer", 0.2, "a table of names and numbers"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is_allowed(refusal, section, key, value, allowed):
    what = refusal(setting(section, key, value))
    assert f"{section}.{key}" in what
    assert repr(value[0] if isinstance(value, list) else value) in what
    assert allowed in what


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("split", "mine", "data.sources.0.split = 'mine'"),
        ("split", "lists", "the format iam has no split lists"),
        ("split", {"validaton": 0.1}, "data.sources.0.split.validaton = 0.1: unknown key"),
        ("split", {"validation": 0.6, "test": 0.4}, "data.sources.0.split: validation and test must leave pages"),
        ("sha256", "abc", "matching ^[0-9a-f]{64}$"),
        ("address", "", "a path or URL"),
        ("address", None, "data.sources.0.address = None"),
        ("format", "pdf", "one of iam, page, alto, text, lines, parquet"),
        ("name", "two words", "matching ^[A-Za-z0-9_]+$"),
        ("weight", 0, "float > 0, <= 100"),
        ("wieght", 2.0, "data.sources.0.wieght = 2.0: unknown key; the nearest valid name is 'weight'"),
        ("counts_in_gate", False, "no source has counts_in_gate"),
    ],
)  # fmt: skip
def test_a_faulty_value_of_a_source_is_named_alone(refusal, key, value, what):
    message = refusal(lambda raw: raw["data"]["sources"][0].update({key: value}))
    assert what in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("sources", "what"),
    [
        ([], "data: sources must have an entry"),
        ([{"address": "x"}], "data.sources.0.split: missing; allowed: one of lwitlrt, lwitlrt-published, aachen"),
        ([{"address": name, "split": "aachen"} for name in ("a/x.zip", "b/x.tar")], "two sources are called x"),
        ("synthetic", "data.sources = 'synthetic'"),
    ],
)  # fmt: skip
def test_a_faulty_list_of_sources_is_named(refusal, sources, what):
    assert what in refusal(setting("data", "sources", sources))


@pytest.mark.parametrize(
    ("address", "label"),
    [("synthetic", "synthetic"), ("iam:https://host/site", "site"), ("/a/my letters.d/", "my_letters"),
     ("https://host/pages.zip?token=secret", "pages"), ("s3://bucket/x-y.tar.gz", "x_y"), ("/", "source")],
)  # fmt: skip
def test_a_source_is_called_after_its_address_without_what_names_must_not_have(address, label):
    assert SourceEntry(address=address, split="aachen").label == label


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("train.learning_rate=1e-6", "train", "learning_rate", 1e-6),
        ("train.weight_decay=1E-05", "train", "weight_decay", 1e-5),
        ("train.dropout=0", "train", "dropout", 0.0),
        ("train.steps=7", "train", "steps", 7),
        ("train.init_from=null", "train", "init_from", None),
        ("train.init_from=models/pretrained", "train", "init_from", "models/pretrained"),
        ("train.precision='32'", "train", "precision", "32"),
        ("train.channels=[8,8,8,8]", "train", "channels", (8, 8, 8, 8)),
        ("train.recombined=[0,1e-3]", "train", "recombined", (0.0, 1e-3)),
        ("validate.disjoint_writers=false", "validate_", "disjoint_writers", False),
        ("data.exclude=[a01-000]", "data", "exclude", ("a01-000",)),
        ("gate.max_cer={default:1e-7}", "gate", "max_cer", {"default": 1e-7}),
    ],
)
def test_values_are_read_as_dvc_writes_them(tmp_path, override, section, key, value):
    from dvc.utils.hydra import apply_overrides

    path = tmp_path / "params.yaml"
    path.write_text(PARAMS.read_text(encoding="utf-8"), encoding="utf-8")
    apply_overrides(path, [override])
    found = getattr(getattr(config.load(path), section), key)
    assert value.items() <= found.items() if isinstance(value, dict) else found == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-06", 1e-6), ("1.5e-3", 1.5e-3), ("2E-1", 0.2), (".5e0", 0.5), ("1.0e-6", 1e-6), ("'1e-06'", None)],
)
def test_a_number_with_an_exponent_is_a_number_and_text_in_quotes_is_none(tmp_path, text, value):
    path = tmp_path / "params.yaml"
    old = PARAMS.read_text(encoding="utf-8")
    changed = re.sub(r"^  learning_rate: \S+", f"  learning_rate: {text}", old, flags=re.MULTILINE)
    assert changed != old
    path.write_text(changed, encoding="utf-8")
    if value is None:
        with pytest.raises(ConfigError):
            config.load(path)
    else:
        assert config.load(path).train.learning_rate == value


@pytest.mark.parametrize("channels", [[16, 32, 64], [16, 32, 64, 96, 128], [16, 32, 64, "96"]])
def test_a_list_of_the_wrong_length_or_type_is_named_with_what_is_allowed(refusal, channels):
    what = refusal(setting("train", "channels", channels))
    assert "train.channels" in what
    assert "feature maps of the four stages" in what


@pytest.mark.parametrize("channels", [[0, 32, 64, 96], [16, 32, 64, -1], [16, 32, 64, 5000]])
def test_a_number_of_feature_maps_out_of_range_is_refused(refusal, channels):
    assert f"train.channels: each of {channels} must be from 1 to 4096" in refusal(
        setting("train", "channels", channels)
    )


def test_a_missing_key_is_named_with_what_is_allowed(refusal):
    what = refusal(lambda raw: raw["train"].pop("seed") and None)
    assert "train.seed: missing; allowed: int >= 0" in what


def test_a_missing_section_is_named_with_its_keys(refusal):
    what = refusal(lambda raw: {key: raw[key] for key in raw if key != "gate"})
    assert "gate: missing; allowed: a section with max_cer, max_wer, min_pages, max_interval" in what


def test_a_value_in_the_place_of_a_section_is_named_with_the_keys_of_the_section(refusal):
    what = refusal(lambda raw: {**raw, "gate": 5})
    assert "gate = 5" in what
    assert "a section with max_cer, max_wer, min_pages, max_interval" in what


def test_a_key_that_is_not_text_is_refused(refusal):
    assert "7" in refusal(lambda raw: {**raw, 7: 1})
    assert "7" in refusal(setting("train", 7, 1))


def test_values_that_contradict_each_other_are_both_named(refusal):
    what = refusal(setting("synthetic", "lines_min", 9))
    assert "synthetic" in what
    assert "lines_min (9) must not be above lines_max (3)" in what
    assert "allowed: a section" not in what, "the value is a section, and the error is inside it"


def test_several_problems_are_named_at_once(refusal):
    def change(raw):
        raw["train"]["steps"] = 0
        raw["gate"]["max_cre"] = 0.1
        del raw["evaluate"]["seed"]

    what = refusal(change)
    assert [name for name in ("train.steps", "gate.max_cre", "evaluate.seed") if name not in what] == []


@pytest.mark.parametrize("raw", [[], "text", 7, ["data"]])
def test_a_file_that_is_no_mapping_is_refused(refusal, raw):
    assert "sections" in refusal(lambda _: raw)


def test_an_empty_file_is_refused_with_the_sections_that_it_needs(tmp_path):
    (tmp_path / "params.yaml").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="sections") as caught:
        config.load(tmp_path / "params.yaml")
    assert "data, synthetic, validate, preprocess, train, language, evaluate, gate" in caught.value.fix


def test_malformed_yaml_is_refused_with_the_line(tmp_path):
    (tmp_path / "params.yaml").write_text("data:\n  source: [unclosed\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"params\.yaml.*line 3"):
        config.load(tmp_path / "params.yaml")


def test_bytes_that_are_not_utf_8_are_refused(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"data: \xff\xfe\n")
    with pytest.raises(ConfigError, match=r"params\.yaml"):
        config.load(tmp_path / "params.yaml")


def test_a_date_that_does_not_exist_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_text("data: 2026-02-30\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"params\.yaml"):
        config.load(tmp_path / "params.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"params\.yaml"):
        config.load(tmp_path / "params.yaml")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path)
    assert str(tmp_path) in caught.value.what


def test_describe_lists_every_parameter_with_value_range_and_meaning(params):
    rows = config.describe(params).splitlines()
    raw = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    names = [f"{section}.{key}" for section, keys in raw.items() for key in keys]
    assert [row.split(" = ")[0] for row in rows] == names
    meaning = TrainSection.model_fields["dropout"].description
    assert meaning
    assert f"train.dropout = 0.1: float >= 0, < 1 ({meaning})" in rows


def test_a_recipe_changes_only_the_values_that_it_names(tmp_path, params):
    (tmp_path / "recipe.yaml").write_text("train: {steps: 7}\n")
    (tmp_path / "merged.yaml").write_text(config.merge_recipe(tmp_path / "recipe.yaml", PARAMS))
    expected = params.model_copy(update={"train": params.train.model_copy(update={"steps": 7})})
    assert config.load(tmp_path / "merged.yaml") == expected


def test_a_recipe_leaves_the_comments_and_every_other_line_as_they_are(tmp_path):
    (tmp_path / "recipe.yaml").write_text("train: {steps: 7}\n")
    before = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()
    after = config.merge_recipe(tmp_path / "recipe.yaml", ROOT / "params.yaml").splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ("  steps: 1600", "  steps: 7")
    ]


def test_an_unknown_key_in_a_recipe_is_refused_with_the_name_of_the_recipe(tmp_path):
    (tmp_path / "recipe.yaml").write_text("train: {step: 7}\n")
    with pytest.raises(ConfigError, match=r"recipe\.yaml: train\.step = 7: unknown key"):
        config.merge_recipe(tmp_path / "recipe.yaml", PARAMS)


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_gives_valid_parameters(recipe):
    assert config.merge_recipe(recipe, ROOT / "params.yaml")


def test_dask_without_a_scheduler_is_refused(refusal):
    assert "runtime.scheduler" in refusal(setting("runtime", "runner", "dask"))


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "", 8786])
def test_the_address_of_a_scheduler_needs_a_protocol(refusal, address):
    assert "runtime.scheduler" in refusal(setting("runtime", "scheduler", address))
