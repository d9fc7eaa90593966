"""The notebook runs from top to bottom in a fresh clone, and its claims hold."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks/transformers.ipynb"
CLAIMS = (
    "leak", "distance", "losses", "overfit_cer", "norms_read", "norms_added", "sharpening", "random_rank",
    "compared", "carried", "known_error", "new_error", "forced_error", "free_error", "chosen_rate", "accumulated_gap",
    "naive_gap", "figures", "line_weights", "reader_cer", "inside", "area",
)  # fmt: skip
MAX_SIZE = 1_500_000  # bytes of the notebook with its pictures


@pytest.fixture(scope="module")
def claims(tmp_path_factory):
    """The final values of the notebook's variables, run in a folder that has only what a clone has."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "params.yaml", folder)
    (folder / "models").mkdir()
    (folder / "models/pretrained").symlink_to(ROOT / "models/pretrained")
    notebook = nbformat.read(folder / "notebooks/transformers.ipynb", as_version=4)
    values = "{name: np.asarray(value).tolist() if not isinstance(value, dict) else value"
    ask = f"import json\nprint(json.dumps({values} for name in {CLAIMS!r} for value in [globals()[name]]}}))"
    notebook.cells.append(nbformat.v4.new_code_cell(ask))
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder / "notebooks")}}).execute()
    answer = "".join(output.text for output in notebook.cells[-1].outputs if output.output_type == "stream")
    return json.loads(answer)


@pytest.mark.slow
class TestClaimsOfTheNotebook:
    def test_a_later_token_moves_no_earlier_output(self, claims):
        assert claims["leak"] == 0

    def test_without_mask_and_positions_the_order_makes_no_difference(self, claims):
        distance = claims["distance"]
        assert distance["neither"] < 1e-4 < 1e-2 < min(distance["mask"], distance["both"])

    def test_one_batch_is_overfitted(self, claims):
        assert claims["overfit_cer"] == 0
        assert claims["losses"][-1] < claims["losses"][0] / 100

    def test_every_part_adds_less_than_the_stream_has(self, claims):
        pairs = zip(claims["norms_added"], claims["norms_read"], strict=True)
        assert all(added < read for added, read in pairs)

    def test_the_prediction_sharpens_along_the_stream(self, claims):
        assert claims["sharpening"][0] < claims["sharpening"][-2] < claims["sharpening"][-1]

    def test_a_head_has_a_lower_rank_than_noise_and_training_lowers_it(self, claims):
        for kind in ("compared", "carried"):
            assert claims[kind]["trained"] < claims[kind]["untrained"] <= 32 < claims["random_rank"] / 2

    def test_with_teacher_forcing_a_half_trained_model_looks_better_than_it_is(self, claims):
        assert claims["forced_error"] < claims["free_error"] - 0.2
        assert claims["known_error"] == [0, 0]
        assert min(claims["new_error"]) > 0.5

    def test_accumulated_gradients_are_those_of_the_whole_batch_if_weighted_by_tokens(self, claims):
        assert claims["accumulated_gap"] < 1e-4 < 1e-2 < claims["naive_gap"]

    def test_the_learning_rate_that_is_found_is_in_a_usual_range(self, claims):
        assert 1e-5 < claims["chosen_rate"] < 1e-2

    def test_ten_batches_end_with_metrics_of_training_validation_and_test(self, claims):
        assert {"train/loss", "validation/cer", "test/cer"} <= claims["figures"].keys()

    def test_the_trained_reader_reads_the_page_and_uses_the_pixels_near_a_character(self, claims):
        assert claims["reader_cer"] < 0.15
        assert sum(claims["line_weights"]) == pytest.approx(1, abs=1e-5)
        assert all(inside > 2 * area for inside, area in zip(claims["inside"], claims["area"], strict=True))


# --- the committed notebook


@pytest.fixture(scope="module")
def committed():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_committed_notebook_was_run_from_top_to_bottom(committed):
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for cell in code for output in cell.outputs) >= 12


def test_the_committed_notebook_is_small_and_names_nothing_of_the_machine_that_ran_it(committed):
    source = NOTEBOOK.read_text(encoding="utf-8")
    assert len(source) < MAX_SIZE
    outputs = [output for cell in committed.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = "".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs)
    assert not re.search(r"/tmp|/home|/root|/work|\d s\b|it/s|seconds", shown)
