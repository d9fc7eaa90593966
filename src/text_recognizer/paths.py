"""Where each stage leaves its work, relative to the project's folder. `dvc.yaml` names the same places."""

from pathlib import Path

ARCHIVE = Path("data/raw/iamdb.zip")
EMNIST = Path("data/emnist")  # no stage makes or reads it: the data modules of characters do
FEEDBACK = Path("data/feedback")
VALIDATION = Path("reports/validation.json")
# The labels of the last data that were valid, for the next validation to compare with. It belongs in git.
ACCEPTED = Path("reports/accepted.json")
DATA_DOCS = Path("reports/data_docs")
PROCESSED = Path("data/processed")
CROP_DOCS = Path("reports/crop_docs")
MODEL = Path("models/reader")
CURVES = Path("reports/curves.csv")
SCORE = Path("reports/score.json")
PAGES = Path("reports/pages.jsonl")
REPORT = Path("reports/report.html")
CONFUSIONS = Path("reports/confusions.csv")
VERDICT = Path("reports/verdict.json")
BENTO = Path("dist/bento")
SCRATCH = Path(".cache")
# The model in service, brought by `promote`, `rollback` and `models --bring`; no stage makes or reads it.
CHAMPION = Path("models/champion")
CHAMPION_BENTO = Path("dist/champion")
# The model that comes with the project; no stage makes or reads it.
PRETRAINED = Path("models/pretrained")
PRETRAINED_VERDICT = PRETRAINED / "verdict.json"
PRETRAINED_BENTO = Path("dist/pretrained")
