"""Smooth random displacements of points, for many letters at once."""

import numpy as np


class Waves:
    """For each of `groups` its own sum of a few plane waves over the plane: neighbours move together, no two alike.

    `amplitude` is the standard deviation of the displacement and `length` the typical wavelength, both in the unit of
    the points.
    """

    def __init__(self, rng: np.random.Generator, groups: int, amplitude: float, length: float, count: int = 4) -> None:
        shape = (groups, count)
        angle = rng.uniform(0, 2 * np.pi, shape)
        number = 2 * np.pi / (length * np.exp(rng.normal(0, 0.3, shape)))
        self.x, self.y = _single(number * np.cos(angle)), _single(number * np.sin(angle))
        self.phase = _single(rng.uniform(0, 2 * np.pi, (2, *shape)))
        # A sine's mean square is a half, and the waves' mean squares add up.
        self.amplitude = _single(rng.normal(0, amplitude * np.sqrt(2 / count), (2, *shape)))

    def at(self, points: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Displacements (n, 2) of `points` (n, 2), where `group` (n,) says whose waves move each."""
        turn = self.x[group] * points[:, :1] + self.y[group] * points[:, 1:]
        moves = [np.sin(turn + self.phase[axis][group]) * self.amplitude[axis][group] for axis in (0, 1)]
        return np.stack([move.sum(axis=1) for move in moves], axis=1)


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
