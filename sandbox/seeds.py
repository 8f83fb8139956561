"""Seeded chance: numbers that depend on a key alone, never on the order in which they are asked for.

What is here: a 64-bit mixing of (seed, labels, codes) and uniform and normal deviates of it, vectorised.
What is not here: any random generator with a state; two sandboxes with one seed agree figure by figure.
"""

import hashlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

NORMAL_BOUND = 2.5
"""Deviates are cut here, so that no place becomes absurd by chance."""


def hash_key(*labels: object) -> int:
    """A 64-bit key of any labels (joined by `|`)."""
    text = "|".join(str(label) for label in labels)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def hash_keys(*labels: tuple[object, ...]) -> Hashes:
    """One key for each tuple of labels, as a vector."""
    return np.array([hash_key(*each) for each in labels], dtype=np.uint64)


def _mix(state: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit moves every output bit."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def draw_uniforms(keys: Hashes | int, codes: Integers, lane: int = 0) -> Floats:
    """Uniform deviates in (0, 1) of keys × codes (broadcast); `lane` gives independent draws of the same pair."""
    with np.errstate(over="ignore"):
        offset = np.asarray(keys, dtype=np.uint64) + np.uint64((lane * 0xD1342543DE82EF95) % 2**64)
        state = _mix(offset + codes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return np.asarray(((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53, dtype=np.float64)


def draw_normals(keys: Hashes | int, codes: Integers) -> Floats:
    """Standard normal deviates of keys × codes (Box–Muller), cut at ±`NORMAL_BOUND`."""
    radius = np.sqrt(-2.0 * np.log(draw_uniforms(keys, codes, 1)))
    deviates = radius * np.cos(2.0 * np.pi * draw_uniforms(keys, codes, 2))
    return np.asarray(np.clip(deviates, -NORMAL_BOUND, NORMAL_BOUND), dtype=np.float64)
