"""Rounded series in few bytes: differences of high order, whose bytes are sorted by weight and compressed.

A smooth series is well predicted from its last samples, so its differences of order four or five are small whole numbers; zstd on
the values themselves needs three times as much.
"""

import json
import lzma

import numpy as np

#: Orders of differences that are tried for each component.
ORDERS = range(9)
#: Compressed bytes carry no header and no checksum of their own; the file they lie in has both.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 0, "pb": 0}]


def pack(values: np.ndarray, unit: np.ndarray) -> bytes:
    """The bytes of (member, time, component) values which are whole multiples of `unit` (component,); NaN ends a member.

    Raises ValueError for values that are not, which could not come back as they were.
    """
    lengths = _lengths(values)
    whole = np.rint(values / unit)
    if np.nanmax(np.abs(whole), initial=0) >= 2**53 or not np.array_equal(whole * unit, values, equal_nan=True):
        raise ValueError("values are no whole multiples of their units, or too many of them")
    rows = [np.nan_to_num(whole[k, :length]).astype(np.int64) for k, length in enumerate(lengths)]
    orders, streams = [], []
    for column in range(values.shape[-1]):
        tried = [[_differences(row[:, column], order) for row in rows] for order in ORDERS]
        costs = [sum(float(np.log2(1 + part.astype(float)).sum()) for part in parts) for parts in tried]
        orders.append(int(np.argmin(costs)))
        streams += tried[orders[-1]]
    joined = np.concatenate(streams) if streams else np.zeros(0, np.uint64)
    planes = joined.astype("<u8").view(np.uint8).reshape(-1, 8).T
    used = int(np.flatnonzero(planes.any(axis=1)).max(initial=-1)) + 1
    body = lzma.compress(planes[:used].tobytes(), format=lzma.FORMAT_RAW, filters=FILTERS)
    head = {"shape": values.shape, "lengths": lengths, "orders": orders, "planes": used, "unit": np.asarray(unit).tolist()}
    words = json.dumps(head, separators=(",", ":")).encode()
    return len(words).to_bytes(4, "little") + words + body


def unpack(data: bytes) -> np.ndarray:
    """The values that were packed, to the bit."""
    size = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + size])
    (members, times, components), lengths = head["shape"], head["lengths"]
    raw = lzma.decompress(data[4 + size :], format=lzma.FORMAT_RAW, filters=FILTERS)
    total = sum(lengths) * components
    planes = np.zeros((8, total), np.uint8)
    planes[: head["planes"]] = np.frombuffer(raw, np.uint8).reshape(head["planes"], total)
    joined = np.ascontiguousarray(planes.T).view("<u8").ravel().astype(np.uint64)
    values = np.full((members, times, components), np.nan)
    first = 0
    for column, order in enumerate(head["orders"]):
        for member, length in enumerate(lengths):
            values[member, :length, column] = _sums(joined[first : first + length], order)
            first += length
    return values * np.array(head["unit"])


def _lengths(values: np.ndarray) -> list[int]:
    """Samples of each member before it ends."""
    lost = np.isnan(values).any(axis=2)
    lengths = np.where(lost.any(axis=1), lost.argmax(axis=1), values.shape[1])
    if any(not row[length:].all() for row, length in zip(lost, lengths, strict=True)):
        raise ValueError("values are missing in the middle of a series")
    return lengths.tolist()


def _differences(row: np.ndarray, order: int) -> np.ndarray:
    """Differences with zeros before the first value, each sign in the lowest bit, so that small ones have few bits."""
    for _ in range(order):
        row = np.diff(row, prepend=0)
    return ((row << 1) ^ (row >> 63)).view(np.uint64)


def _sums(coded: np.ndarray, order: int) -> np.ndarray:
    row = (coded >> np.uint64(1)).view(np.int64) ^ -(coded & np.uint64(1)).view(np.int64)
    for _ in range(order):
        row = np.cumsum(row)
    return row
