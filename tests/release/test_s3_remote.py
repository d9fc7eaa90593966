"""DVC pushes to a remote in S3 and pulls from it with what the lock installs."""

import os
import subprocess
import sys

import pytest
from moto.server import ThreadedMotoServer

pytestmark = pytest.mark.slow


@pytest.fixture
def address():
    """The address of a server that speaks S3, with the bucket `models`."""
    import boto3

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).create_bucket(Bucket="models")
    yield url
    server.stop()


def test_what_is_pushed_to_s3_can_be_pulled_by_a_clone_without_a_cache(tmp_path, address):
    settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**os.environ, **settings, "DVC_SITE_CACHE_DIR": str(tmp_path / "site"), "DVC_NO_ANALYTICS": "1"}

    def dvc(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".dvc").mkdir()
    remote = f"['remote \"store\"']\n    url = s3://models/text-recognizer\n    endpointurl = {address}\n"
    (tmp_path / ".dvc/config").write_text(f"[core]\n    analytics = false\n    remote = store\n{remote}")
    (tmp_path / "weights").write_text("of a model")
    dvc("add", "weights")
    dvc("push")
    (tmp_path / "weights").unlink()
    subprocess.run(["rm", "-rf", str(tmp_path / ".dvc/cache")], check=True)
    dvc("pull")
    assert (tmp_path / "weights").read_text() == "of a model"
