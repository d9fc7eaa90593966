"""The files in deploy/ are what their tools take, and start the same processes."""

import configparser
import json
import re
import shutil
import subprocess

import pytest
import yaml
from tests.project.graph import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
PROCESSES = {"server", "worker", "service", "reports"}
# Of the Compose specification, what the file uses: a misspelt key is refused.
SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image", "command"],
    "properties": {
        "image": {"type": "string"},
        "command": {"type": "array", "items": {"type": "string"}},
        "working_dir": {"type": "string"},
        "network_mode": {"enum": ["host"]},
        "restart": {"enum": ["always"]},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": "^[^:]+:/"}},
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "depends_on": {"type": "array", "items": {"enum": sorted(PROCESSES)}},
        "stop_grace_period": {"type": "string", "pattern": "^[0-9]+s$"},
        "stop_signal": {"type": "string", "pattern": "^SIG[A-Z]+$"},
    },
}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path):
    programs = ("text-recognizer", "prefect", "python")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in programs:
        (tmp_path / ".venv/bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / ".venv/bin" / name).chmod(0o755)
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("%h/text-recognizer", str(tmp_path))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_compose_takes_the_file():
    import jsonschema

    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    jsonschema.validate(services, {"type": "object", "additionalProperties": SERVICE, "minProperties": len(PROCESSES)})


def test_all_three_start_the_same_processes():
    supervisor = configparser.RawConfigParser()
    supervisor.read(DEPLOY / "supervisord.conf", encoding="utf-8")
    named = {part.removeprefix("program:") for part in supervisor.sections() if part.startswith("program:")}
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    units = {match[1] for unit in UNITS if (match := re.fullmatch(r"text-recognizer-(\w+)\.service", unit.name))}
    assert named == set(compose) == units == PROCESSES


@pytest.mark.slow
def test_the_deployments_name_flows_that_exist_and_parameters_that_these_have():
    from importlib import import_module

    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert len(deployments) == 4
    for deployment in deployments:
        file, _, name = deployment["entrypoint"].partition(":")
        flow = getattr(import_module(file.removesuffix(".py").replace("/", ".")), name)
        assert set(deployment["parameters"]) <= set(flow.parameters.properties), deployment["name"]
        json.dumps(deployment["parameters"])


def test_what_starts_a_deployment_names_one():
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    flows = {"flows/ingest.py:ingest": "ingest", "flows/retraining.py:retrain": "retrain",
             "flows/deploy.py:deploy": "deploy", "flows/monitor.py:monitor": "monitor"}  # fmt: skip
    known = {f"{flows[deployment['entrypoint']]}/{deployment['name']}" for deployment in deployments}
    named = {d["parameters"][key] for d in deployments for key in ("then", "deployment") if key in d["parameters"]}
    assert named <= known
    assert len(named) == 2
