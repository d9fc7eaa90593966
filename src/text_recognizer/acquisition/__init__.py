"""Downloads: the archives that `data.sources` names, and EMNIST."""
