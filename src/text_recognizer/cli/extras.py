"""Name the extra that a command needs, if one of its packages is not installed."""

from text_recognizer.core.errors import MissingExtraError

# The packages that a command imports first, by the extra that installs them. `pyproject.toml` has the whole lists.
EXTRAS = {
    "serve": ("bentoml", "fastapi", "starlette", "packaging", "psutil"),
    "train": (
        "cv2",
        "onnx",
        "onnxscript",
        "pandas",
        "pytorch_lightning",
        "safetensors",
        "torch",
        "torchvision",
        "wandb",
    ),
    "pipeline": ("aiohttp", "dask", "distributed", "dvc", "fsspec", "great_expectations", "prefect", "prefect_dask"),
}


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """Return the error to show instead of `error`; None if no extra installs the module."""
    package = (error.name or "").partition(".")[0]
    for extra, packages in EXTRAS.items():
        if package in packages:
            return MissingExtraError(
                f"this command needs text-recognizer[{extra}]: the package {package} is not installed",
                f"pip install 'text-recognizer[{extra}]'",
            )
    return None
