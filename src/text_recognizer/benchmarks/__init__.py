"""How fast the parts are, each as a ratio to a reference that is timed in the same run."""

from text_recognizer.benchmarks.measure import Measurement, run

__all__ = ["Measurement", "run"]
