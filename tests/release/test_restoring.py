"""A version names the commit of its training; without DVC's remote or room on the disk, the model in service stays."""

import resource
import shutil

import pytest

from text_recognizer.core.layout import LAYOUT
from text_recognizer.release.git import Git, RegistryError
from text_recognizer.release.ledger import Ledger
from text_recognizer.release.promotion import promote
from text_recognizer.release.store import NotPushedError
from text_recognizer.utils.files import sha256


def test_a_version_has_the_data_of_its_training_although_newer_data_were_committed_since(
    served, clone_of, better, limits, section, quick, tmp_path
):
    # Given a model, and data that were committed after its training
    served.commit(better)
    trained = served.git("rev-parse", "HEAD").strip()
    graph = served.folder / "dvc.yaml"
    newer = "stages:\n  newer:\n    cmd: echo new > data/newer\n    outs: [data/newer]\n"
    graph.write_text(graph.read_text().replace("stages:\n", newer))
    served.dvc("repro", "--single-item", "newer")
    served.git("add", "--all")
    served.git("commit", "--quiet", "--message", "newer data")
    # When the model is promoted, then its version is the commit of its training
    assert promote(served.folder, limits, section, measure=quick).passed
    assert Ledger(Git(served.folder), None).version("v2").commit == trained
    # And a colleague's clone gets it from the remote, where no stage has to run
    other = clone_of(tmp_path / "colleague")
    served.git("clone", "--quiet", str(served.folder), str(other.folder))
    other.git("checkout", "--quiet", "reader@v2.0.0")
    other.dvc("pull")
    assert sha256(other.folder / LAYOUT.model / "reader.json") == better.score["model"]
    assert "up to date" in other.dvc("status")


def test_while_the_remote_is_away_nothing_is_promoted_and_the_model_in_service_stays(
    served, better, limits, section, quick, tmp_path
):
    served.commit(better)
    shutil.rmtree(tmp_path / "store", ignore_errors=True)
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(NotPushedError):
        promote(served.folder, limits, section, measure=quick)
    assert served.champion == "v1.0.0"
    assert [tag.version for tag in Ledger(Git(served.folder), None).versions()] == ["v1.0.0"]
    # When it is back, the same promotion succeeds
    (tmp_path / "store").unlink()
    assert promote(served.folder, limits, section, measure=quick).passed
    assert served.champion == "v2.0.0"


def test_a_disk_without_room_for_the_model_keeps_the_model_in_service(served, better, limits, section, quick):
    served.commit(better)
    graph = served.folder / LAYOUT.model / "reader.onnx"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (graph.stat().st_size // 2, hard))
    try:
        with pytest.raises(RegistryError):
            promote(served.folder, limits, section, measure=quick)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert served.champion == "v1.0.0"
    assert (served.folder / LAYOUT.champion / "reader.onnx").is_file()
    assert promote(served.folder, limits, section, measure=quick).passed
    assert served.champion == "v2.0.0"
