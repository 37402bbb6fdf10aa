"""A series as a cloud of points, its delay vectors, in which neighbours and near pairs can be found and followed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: Nearer than this, in deviations, is the same point again, but for rounding.
SAME = 1e-10
#: Blocks of points, in time, that the jackknife leaves out by turns.
BLOCKS = 16
#: Points whose pairs show how near the nearest pairs of all are.
SOME = 1500


def allowed_pairs(rows: np.ndarray, theiler: int, edges: np.ndarray) -> np.ndarray:
    """How many pairs of rows lie farther apart in time than the window, by the blocks (earlier, later) between the `edges`."""
    after = np.searchsorted(rows, rows + theiler, side="right")
    later = np.maximum(edges[1:] - np.maximum(edges[:-1], after[:, None]), 0)
    return np.add.reduceat(later, edges[:-1], axis=0)


def leave_out(table: np.ndarray) -> np.ndarray:
    """Sums over pairs (of all, and without each block; ...) from sums by the blocks of the two (block, block, ...)."""
    whole = table.sum(axis=(0, 1))
    own = np.moveaxis(np.diagonal(table), -1, 0)
    return np.concatenate([whole[None], whole - table.sum(axis=0) - table.sum(axis=1) + own])


def jackknife(estimates: np.ndarray) -> np.ndarray:
    """The standard error of estimates (of all, and without each block; ...)."""
    return np.sqrt((len(estimates) - 2) * estimates[1:].var(axis=0))


@dataclass
class Cloud:
    """The delay vectors of a series; `room` is how many samples a neighbour may be shifted to stay abreast, 0 for none."""

    values: np.ndarray
    gapless: np.ndarray
    delays: int
    lag: int
    theiler: int
    room: int

    def __post_init__(self):
        before = (self.delays - 1) * self.lag
        self.vectors = np.full((len(self.values), self.delays * self.values.shape[1]), np.nan)
        late = [self.values[before - k * self.lag : len(self.values) - k * self.lag] for k in range(self.delays)]
        if before < len(self.values):
            self.vectors[before:] = np.concatenate(late, axis=1)
        # Kantz compares the newest values alone: whatever a delay vector remembers parts later
        self.compared = self.vectors if self.room else self.values
        self.velocity = np.gradient(self.vectors, axis=0) if self.room else None

    def rows(self, steps: int) -> np.ndarray:
        """The rows whose vector, and `steps` rows after it, hold no gap."""
        margin = self.room + (self.room > 0)
        before, after = (self.delays - 1) * self.lag + margin, steps + margin
        rows = np.arange(before, max(len(self.gapless) - after, before))
        return rows[self.gapless[rows + after] > before + after]

    def nearest(self, rows, asked, rank: int = 1, avoid=None) -> tuple[np.ndarray, np.ndarray]:
        """Place in `rows` (-1 for none) and distance of the neighbour of that rank of each of the places `asked`.

        `avoid` is (the block of every row, the block that each of the asked must not find).
        """
        from scipy.spatial import cKDTree

        points = self.vectors[rows]
        tree = cKDTree(points)
        found, distance = np.full(len(asked), -1), np.full(len(asked), np.nan)
        left, count, most = np.arange(len(asked)), min(16, len(rows)), min(len(rows), 4 * self.theiler + 511 + rank)
        while len(left):
            for part in np.array_split(left, max(1, len(left) * count // 2_000_000)):
                apart, other = tree.query(points[asked[part]], k=count, workers=-1)
                allowed = (np.abs(rows[other] - rows[asked[part], None]) > self.theiler) & (apart > SAME)
                if avoid is not None:
                    allowed &= avoid[0][other] != avoid[1][part, None]
                column = (allowed.cumsum(axis=1) >= rank).argmax(axis=1)[:, None]
                there = allowed.sum(axis=1) >= rank
                found[part] = np.where(there, np.take_along_axis(other, column, 1)[:, 0], -1)
                distance[part] = np.where(there, np.take_along_axis(apart, column, 1)[:, 0], np.nan)
            if count == most:
                break
            left, count = left[found[left] < 0], min(2 * count, most)
        return found, distance

    def pairs(self, rows, count: int | None = None, radius: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places in `rows` (earlier, later) and distance of pairs outside the Theiler window: the `count` nearest of all, with
        those as near as the last of them, or all within a radius."""
        from scipy.spatial import cKDTree

        points = self.vectors[rows]
        tree = cKDTree(points)
        reach = self._reach(rows, count) if radius is None else radius
        while True:
            first, second = tree.query_pairs(reach, output_type="ndarray").T
            first, second = np.minimum(first, second), np.maximum(first, second)
            far = rows[second] - rows[first] > self.theiler
            first, second = first[far], second[far]
            if radius is not None or len(first) >= count:
                break
            reach *= 1.3
        difference = points[first] - points[second]
        distance = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        if radius is None:
            kept = distance <= np.partition(distance, count - 1)[count - 1]
            first, second, distance = first[kept], second[kept], distance[kept]
        return first, second, distance

    def _reach(self, rows, count: int) -> float:
        """About the distance of the pair of that rank, from the pairs of some points."""
        from scipy.spatial.distance import pdist

        total = int(allowed_pairs(rows, self.theiler, np.array([0, len(rows)])).sum())
        if not 1 <= count <= total:
            raise ValueError(
                f"{max(count, 1)} near pairs are needed; {len(rows)} points have {total} that are farther apart in time than "
                f"{self.theiler} samples. Take a longer series, or a smaller theiler"
            )
        some = np.linspace(0, len(rows) - 1, min(len(rows), SOME)).astype(int)
        one, two = np.triu_indices(len(some), 1)
        distance = pdist(self.vectors[rows[some]])[rows[some[two]] - rows[some[one]] > self.theiler]
        share = count / total
        reach = float(np.quantile(distance, share)) if len(distance) else float(np.ptp(self.vectors[rows], axis=0).max())
        if reach <= SAME:
            raise ValueError(
                f"more than {share:.2g} of all pairs are the same point again: the series visits few points, whose dimension is 0, "
                "so nothing can be read from its nearest pairs"
            )
        return 1.05 * reach

    def apart(self, first: np.ndarray, second: np.ndarray, steps: int) -> Iterator[np.ndarray]:
        """Distances of the pairs (first, second), one step after another.

        Equal values, as rounding leaves them, lie about as far apart as the least that differ.
        """
        shift = 0
        for k in range(steps + 1):
            difference = self.compared[first + k] - self.compared[second + k + shift]
            if self.room:
                along = self.velocity[second + k + shift]
                late = np.einsum("ij,ij->i", difference, along) / np.maximum(np.einsum("ij,ij->i", along, along), 1e-300)
                difference -= along * late[:, None]
                shift = np.clip(shift + np.clip(np.round(late), -2, 2).astype(int), -self.room, self.room)
            distance = np.sqrt(np.einsum("ij,ij->i", difference, difference))
            if k == 0:
                least = distance[distance > SAME].min(initial=1.0)
            yield np.maximum(distance, least)
