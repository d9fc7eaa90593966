"""The files and folders that the stages read and write, relative to the project. `dvc.yaml` names the same paths."""

from pathlib import Path

from text_recognizer.core.errors import ConfigError

# The folder with the pretrained reader: inside the installed package, or at the top of a clone.
PRETRAINED_FOLDERS = (
    Path(__file__).resolve().parents[1] / "pretrained",
    Path(__file__).resolve().parents[3] / "models" / "pretrained",
)


class Layout:
    """The files and folders of one project, below its folder `root`."""

    def __init__(self, root: Path = Path()) -> None:
        self.root = root
        # One archive for each of `data.sources`, as it was fetched.
        self.raw = root / "data/raw"
        # The pages of the sources that are not in IAM's layout, as forms of the lines that were found on them.
        self.found_lines = root / "data/found_lines"
        # Made and read by the data modules of single characters, by no stage.
        self.emnist = root / "data/emnist"
        self.feedback = root / "data/feedback"
        self.inputs = root / "data/inputs"
        # Copies of both for DVC. It takes no folder that has files of git, and sees nothing below an ignored one.
        self.given = root / "given"
        self.validation = root / "reports/validation.json"
        # Statistics of the last valid labels, which the next validation compares with. It belongs in git.
        self.accepted = root / "reports/accepted.json"
        self.data_docs = root / "reports/data_docs"
        self.processed = root / "data/processed"
        self.crop_docs = root / "reports/crop_docs"
        self.model = root / "models/reader"
        self.curves = root / "reports/curves.csv"
        self.score = root / "reports/score.json"
        self.pages = root / "reports/pages.jsonl"
        self.report = root / "reports/report.html"
        self.confusions = root / "reports/confusions.csv"
        self.verdict = root / "reports/verdict.json"
        self.bento = root / "dist/bento"
        # What the gate judged, in a few numbers: what `dvc metrics` and `dvc exp show` list.
        self.metrics = root / "reports/metrics.json"
        self.scratch = root / ".cache"
        self.locks = self.scratch / "locks"
        self.pipeline_lock = self.locks / "pipeline.lock"
        # What the flow `monitor` found last, to compare with.
        self.last_look = self.scratch / "last_look.json"
        # Scores of the model in service on test pages that are newer than its own score.
        self.champion_scores = self.scratch / "champion_scores"
        # The model in service. `promote`, `rollback` and `models --bring` write it; no stage does.
        self.champion = root / "models/champion"
        self.champion_bento = root / "dist/champion"
        self.pretrained_bento = root / "dist/pretrained"
        # Readers that `adapt` made for one hand each, and their bentos.
        self.models = root / "models"
        self.own_models = root / "models/own"
        self.own_bentos = root / "dist/own"


LAYOUT = Layout()


def pretrained_model() -> Path:
    """Return the folder of the reader that comes with the package."""
    installed, clone = PRETRAINED_FOLDERS
    return installed if installed.exists() else clone


def model_folder(name: str) -> Path:
    """Return the model folder that a person names: its path, or its name in `models/`, for instance own/anna."""
    path, named = Path(name), LAYOUT.models / name
    return named if named.is_dir() and not path.exists() else path


def require_writable_model(model: Path) -> None:
    """Raise ConfigError if a model folder belongs to the installed package, which no command may change."""
    if model.resolve() == PRETRAINED_FOLDERS[0].resolve():
        raise ConfigError(
            f"{model} belongs to the installed package, so nothing is written into it",
            "copy the folder and name the copy: --model FOLDER",
        )
