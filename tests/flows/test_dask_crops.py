"""The preprocess stage on a real Dask cluster of two workers, through Prefect, writes the same bytes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lazy import lazy

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora.page_sources import page_sources
from text_recognizer.preprocess import Corrections, Sources, locally, pack
from text_recognizer.synthetic import write_corpus

dask_crops = lazy("flows.dask_crops")
ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 300
FORMS = {
    "seed": 1, "train_forms": 96, "validation_forms": 8, "test_forms": 8, "forms_per_writer": 8, "page_width": 1000,
    "page_height": 600, "lines_min": 1, "lines_max": 1, "dpi": 150,
}  # fmt: skip


@dataclass
class Cluster:
    address: str
    workers: list[subprocess.Popen[bytes]]


def dask(*arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers with one thread each, in processes of their own."""
    place = tmp_path / "scheduler.json"
    scheduler = dask("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                     "--scheduler-file", str(place))  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.callback(end, [scheduler])
        wait_for(place.exists)
        time.sleep(0.5)
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "dask")]
        workers = [dask("dask_worker", "--scheduler-file", str(place), *options) for _ in range(2)]
        stack.callback(end, workers)
        address = json.loads(place.read_text())["address"]
        wait_for(lambda: len(alive(address)) == 2)
        yield Cluster(address, workers)


def alive(address):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return client.scheduler_info()["workers"]


def end(processes):
    for process in processes:
        process.kill()
    for process in processes:
        process.wait(30)


def wait_for(ready):
    stop = time.monotonic() + TIMEOUT_SECONDS
    while not ready():
        assert time.monotonic() < stop, "the cluster did not start"
        time.sleep(0.1)


@pytest.fixture
def project(tmp_path, monkeypatch, params):
    """Change to a folder with an archive of eight chunks of forms; return its parameters."""
    write_corpus(SyntheticSection(**FORMS), tmp_path / "project" / LAYOUT.raw / "synthetic.zip", workers=1)
    monkeypatch.chdir(tmp_path / "project")
    small = {"canvas_height": 64, "canvas_width": 160, "line_height": 0}
    return params.model_copy(update={"preprocess": params.preprocess.model_copy(update=small)})


def on(cluster, params):
    changed = {"runner": "dask", "scheduler": cluster.address}
    return params.model_copy(update={"runtime": params.runtime.model_copy(update=changed)})


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def killed_midway(worker):
    """Start a thread that kills the worker as soon as the first crops have arrived."""
    draft = LAYOUT.processed.parent / f".{LAYOUT.processed.name}.part" / LAYOUT.processed.name / "train.npy"
    several = 20 * 64 * 160

    def watch():
        wait_for(lambda: draft.exists() and draft.stat().st_size > several)
        worker.send_signal(signal.SIGKILL)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_a_worker_that_is_killed_midway_changes_nothing_in_the_bytes(project, cluster):
    # Given the splits that this machine packs alone
    pages = page_sources(project.data, LAYOUT.raw, LAYOUT.found_lines)
    sources = Sources(pages, project.data, Corrections(LAYOUT.feedback), project.synthetic)
    pack(sources, project.preprocess, Path("alone"), locally(1))
    # When two workers do it, and one is killed before the end
    killing = killed_midway(cluster.workers[0])
    dask_crops.on_dask(on(cluster, project))
    killing.join()
    # Then the other worker did the rest, and the files are the same
    assert cluster.workers[0].wait(30) == -signal.SIGKILL
    assert len(alive(cluster.address)) == 1
    assert content(LAYOUT.processed) == content(Path("alone"))


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(dask_crops, "CONNECT_SECONDS", 1)
    with pytest.raises(ConfigError) as caught:
        dask_crops.require_cluster("tcp://127.0.0.1:9")
    assert "tcp://127.0.0.1:9" in caught.value.what
    assert "runtime.scheduler" in caught.value.fix
