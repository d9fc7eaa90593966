"""Downloads: the archive that `data.source` names, and EMNIST."""
