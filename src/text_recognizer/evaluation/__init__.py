"""Score a model: error rates, slices, calibration, robustness, provenance, and the report."""
