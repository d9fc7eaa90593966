"""When the pipeline runs, and what is seen while it does. What runs, and in what order, is `dvc.yaml`'s.

Prefect reads its settings while it is imported, so its defaults are set here, before any module of this package can.
"""

import os

from text_recognizer import privacy

privacy.silence()
# On a fresh database the ephemeral server needs more than Prefect's 20 s.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
