"""Disable the telemetry of every tool. Set one of the variables yourself to override it."""

import os

OPT_OUTS = {
    "DO_NOT_TRACK": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def disable_onnxruntime_telemetry() -> None:
    """Disable the telemetry of onnxruntime alone. It reads the variable when it is imported, and not again."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", OPT_OUTS["ORT_DISABLE_TELEMETRY"])


def disable_telemetry() -> None:
    """Disable telemetry in this process and its children. Without a key, Weights & Biases is set to offline."""
    for name, value in OPT_OUTS.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("WANDB_API_KEY"):
        os.environ.setdefault("WANDB_MODE", "offline")
