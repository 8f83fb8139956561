"""The raw archive: bytes by their hash, receipts by line; in a folder or in any store. Public names are re-exported."""

from resources.archive.decisions import Decision
from resources.archive.keeping import Archive, Garbage, Verification, open_archive
from resources.archive.manifest import ManifestEntry, latest_entries
from resources.archive.store import Stored

__all__ = [
    "Archive",
    "Decision",
    "Garbage",
    "ManifestEntry",
    "Stored",
    "Verification",
    "latest_entries",
    "open_archive",
]
