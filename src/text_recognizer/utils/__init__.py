"""Helpers without knowledge of handwriting: files, archives, processes, charts, telemetry and W&B runs."""
