"""Name the extra that a command needs, if one of its packages is not installed."""

from text_recognizer.core.errors import MissingExtraError

# The packages that a command imports first, by the extra that installs them. `pyproject.toml` has the whole lists.
EXTRAS = {
    "serve": ("bentoml", "fastapi", "starlette", "packaging", "psutil"),
    "train": (
        "onnx",
        "onnxscript",
        "pandas",
        "pytorch_lightning",
        "safetensors",
        "torch",
        "torchvision",
        "wandb",
    ),
    "parquet": ("pyarrow",),
    "s3": ("dvc_s3",),
    "pipeline": (
        "aiohttp",
        "dask",
        "distributed",
        "dvc",
        "fsspec",
        "great_expectations",
        "prefect",
        "prefect_dask",
        "ruamel",
    ),
}

# These commands need packages of several extras, and `pipeline` has them all.
PIPELINE_COMMANDS = ("fetch", "find-lines", "validate", "preprocess", "models", "promote", "rollback", "status")


def missing_extra(error: ModuleNotFoundError, command: str) -> MissingExtraError | None:
    """Return the error to show instead of `error` in `command`; None if no extra installs the module."""
    package = (error.name or "").partition(".")[0]
    for extra, packages in EXTRAS.items():
        if package in packages:
            needed = "pipeline" if command in PIPELINE_COMMANDS else extra
            return MissingExtraError(
                f"this command needs text-recognizer[{needed}]: the package {package} is not installed",
                f"pip install 'text-recognizer[{needed}]'",
            )
    return None
