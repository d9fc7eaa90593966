"""Prefect flows: when the pipeline runs, retries, and what is seen while it runs. `dvc.yaml` says what runs.

Prefect reads its settings while it is imported, so this module sets their defaults before any other module of this
package imports Prefect.
"""

import os

from text_recognizer.utils import telemetry

telemetry.disable_telemetry()
# With a new database the temporary server needs more than Prefect's 20 s.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
