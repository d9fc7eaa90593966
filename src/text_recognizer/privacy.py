"""The one place that keeps every tool from phoning home. Set a variable yourself to override its default."""

import os

SILENT = {
    "DO_NOT_TRACK": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def silence() -> None:
    """Turns telemetry off in this process and its children, and Weights & Biases to offline when it has no key."""
    for name, value in SILENT.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("WANDB_API_KEY"):
        os.environ.setdefault("WANDB_MODE", "offline")
