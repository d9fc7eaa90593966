"""Where pages come from, and how they reach the models."""
