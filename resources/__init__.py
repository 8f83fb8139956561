"""The outside world: the embedded PostgreSQL, the warehouse connection, the archive of raw bytes, the platforms.

Plain classes that work without Dagster; what the figures mean is not known here. ``resources/dagster.py`` wraps them.
"""
