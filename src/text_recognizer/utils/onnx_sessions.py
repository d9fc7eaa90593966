"""Open networks for onnxruntime, all in the same way."""

from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.utils.telemetry import disable_onnxruntime_telemetry

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(graph: Path, threads: int = 0) -> "InferenceSession":
    """Open an ONNX file on the CPU. `threads` limits the threads of one run; 0 leaves them to onnxruntime."""
    # Before the import, and here too, because a program that uses the package has not come through our command line.
    disable_onnxruntime_telemetry()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait would spin: a fifth more CPU time for a page, and more wall time too if the machine is busy.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
