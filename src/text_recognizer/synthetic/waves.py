"""Smooth random displacements of points, for many letters at once."""

import numpy as np


class Waves:
    """A smooth displacement field for each of `groups` groups of points: a sum of `count` random plane waves.

    Points of one group that lie close together move together; two groups move independently. `amplitude` is the
    standard deviation of the displacement, `length` the typical wavelength, both in the unit of the points.
    """

    def __init__(self, rng: np.random.Generator, groups: int, amplitude: float, length: float, count: int = 4) -> None:
        shape = (groups, count)
        angle = rng.uniform(0, 2 * np.pi, shape)
        number = 2 * np.pi / (length * np.exp(rng.normal(0, 0.3, shape)))
        self.x, self.y = _single(number * np.cos(angle)), _single(number * np.sin(angle))
        self.phase = _single(rng.uniform(0, 2 * np.pi, (2, *shape)))
        # The mean square of a sine is a half, and the mean squares of the waves add up.
        self.amplitude = _single(rng.normal(0, amplitude * np.sqrt(2 / count), (2, *shape)))

    def at(self, points: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Return the displacements (n, 2) of `points` (n, 2), which belong to the groups `group` (n,)."""
        turn = self.x[group] * points[:, :1] + self.y[group] * points[:, 1:]
        moves = [np.sin(turn + self.phase[axis][group]) * self.amplitude[axis][group] for axis in (0, 1)]
        return np.stack([move.sum(axis=1) for move in moves], axis=1)


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
