"""The three nights of the assets' tests, lived once a worker."""

from tests.assets.nights import lived_nights

__all__ = ["lived_nights"]
