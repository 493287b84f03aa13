"""Prints what the tests of math::quantile expect: numpy.quantile on samples of an integer recurrence (NumPy 2.4.6)."""

import struct

import numpy as np

METHODS = ["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen",
           "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "nearest", "midpoint"]
MASK = (1 << 64) - 1


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", float(x)))[0]


def digest_of(method):
    state, digest = 1, 0

    def draw():
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        return (state >> 11) / 9007199254740992.0

    for n in range(1, 60):
        values = np.array(sorted(draw() for _ in range(n)))
        for q in [draw() for _ in range(20)] + [k / 20.0 for k in range(21)]:
            digest = (digest * 31 + bits(np.quantile(values, np.float64(q), method=method))) & MASK
    return digest


if __name__ == "__main__":
    five = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    for m in METHODS:
        print(m, [float(np.quantile(five, q, method=m)) for q in (0.0, 0.3, 0.5, 0.9, 1.0)], "0x%016x" % digest_of(m))
