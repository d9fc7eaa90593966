"""The job template for Kubernetes is one that Prefect's server takes, and makes a job that runs in the clone."""

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator, ValidationError
from tests.project.graph import ROOT

TEMPLATE = json.loads((ROOT / "deploy/kubernetes-job-template.json").read_text(encoding="utf-8"))
VARIABLES = TEMPLATE["variables"]
DEFAULTS = {name: rule["default"] for name, rule in VARIABLES["properties"].items() if "default" in rule}


@pytest.fixture(scope="module")
def of_prefect():
    """Prefect's own template for a work pool of this type, which comes with its server."""
    views = files("prefect.server.api") / "collections_data/views/aggregate-worker-metadata.json"
    workers = json.loads(views.read_text(encoding="utf-8"))["prefect-kubernetes"]["kubernetes"]
    return workers["default_base_job_configuration"]


@pytest.fixture(scope="module")
def manifest():
    """Make the manifest of a job, as the worker does, from the defaults and other values."""
    from prefect.utilities.templating import apply_values

    def make(**values):
        return apply_values(TEMPLATE["job_configuration"], DEFAULTS | values)["job_manifest"]

    return make


def test_it_has_all_that_the_worker_of_prefect_reads(of_prefect):
    assert TEMPLATE["job_configuration"].keys() == of_prefect["job_configuration"].keys()
    assert VARIABLES["properties"].keys() >= of_prefect["variables"]["properties"].keys()
    own, other = (one["job_configuration"]["job_manifest"] for one in (TEMPLATE, of_prefect))
    assert (own["apiVersion"], own["kind"]) == (other["apiVersion"], other["kind"])
    assert own["metadata"] == other["metadata"]


def test_its_variables_are_a_schema_that_its_defaults_satisfy():
    Draft202012Validator.check_schema(VARIABLES)
    schema = VARIABLES | {"additionalProperties": False}
    Draft202012Validator(schema).validate(DEFAULTS)
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate(DEFAULTS | {"gpus": "two"})


def test_a_job_runs_in_the_clone_on_the_volume_and_has_a_gpu_only_if_one_is_asked_for(manifest):
    job = manifest(command="prefect flow-run execute", name="run")
    assert "{{" not in json.dumps(job)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], container["workingDir"])
    assert volume["persistentVolumeClaim"]["claimName"] == DEFAULTS["claim"]
    assert container["env"]["PATH"].startswith(f"{container['workingDir']}/.venv/bin:")
    assert "nvidia.com/gpu" not in container["resources"]["limits"]
    (container,) = manifest(gpus=1)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    # Prefect, not Kubernetes, decides whether a run is tried again.
    assert (job["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_the_server_makes_a_work_pool_of_it_and_checks_deployments_by_it():
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import PrefectHTTPStatusError

    @flow
    def nothing() -> None:
        """Do nothing."""

    with get_client(sync_client=True) as client:
        pool = WorkPoolCreate(name="on-kubernetes", type="kubernetes", base_job_template=TEMPLATE)
        assert client.create_work_pool(pool).base_job_template == TEMPLATE
        made = client.create_flow(nothing)
        of_pool = {"work_pool_name": "on-kubernetes", "flow_id": made}
        assert client.create_deployment(name="good", job_variables={"gpus": 1}, **of_pool)
        with pytest.raises(PrefectHTTPStatusError) as refused:
            client.create_deployment(name="bad", job_variables={"gpus": "two"}, **of_pool)
        assert refused.value.response.status_code == 422
