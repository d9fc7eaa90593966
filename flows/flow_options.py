"""What all flows have in common: how their runs are named, and who is told if one fails or is killed."""

from typing import Any

from flows.outcomes import run_name
from flows.tell import tell_of_failure

# A dictionary of hooks has no narrower type: `flow` declares each by overloads.
OPTIONS: dict[str, Any] = {
    "flow_run_name": run_name,
    "on_failure": [tell_of_failure],
    "on_crashed": [tell_of_failure],
}
