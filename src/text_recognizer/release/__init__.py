"""Decide which model is released: the gate, the comparison with the champion, and the registry in git tags."""
