"""The monitor says whether to train again and why, and shows it."""

import json
import subprocess

import pytest
import yaml
from tests.lazy import lazy

from text_recognizer.core.layout import Layout

monitor = lazy("flows.monitor")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]


@pytest.fixture
def project(make_project, params):
    """A clone without a model in service, with two corrections that wait."""
    folder = make_project({"one": {"cmd": "true", "deps": ["params.yaml"]}})
    settings = params.model_dump(mode="json", by_alias=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    for command in ("add params.yaml", "-c user.name=Ann -c user.email=a@b.c commit --quiet -m start"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    Layout(folder).feedback.mkdir(parents=True)
    for name in ("a", "b"):
        (Layout(folder).feedback / f"{name}.json").write_text(json.dumps({}))
    return folder


@pytest.mark.parametrize(("enough", "count"), [(2, 2), (3, 1)], ids=["enough corrections", "no model alone"])
def test_the_reasons_are_returned_and_without_a_deployment_nothing_is_started(project, enough, count):
    reasons = monitor.monitor(project, max_corrections=enough, deployment="", service="")
    assert len(reasons) == count
    assert any("no model" in reason for reason in reasons)
