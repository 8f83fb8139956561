"""Deliveries are archived in batches: by so many, and by so many bytes, so that large ones do not fill the memory."""

import datetime

from assets import collecting
from assets.collecting import _batches
from resources.platforms import Delivery, NotModified, Offer

OFFER = Offer("510000", "health", "r", "health_annual", "2024", "r.xlsx", None, None, "")
NOW = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)


def delivery(size: int) -> Delivery:
    return Delivery(OFFER, b"x" * size, None, None, "", "r.xlsx", NOW)


def test_small_deliveries_go_together_by_number() -> None:
    sizes = [len(batch) for batch in _batches(delivery(1) for _ in range(collecting.BATCH * 2 + 3))]
    assert sizes == [collecting.BATCH, collecting.BATCH, 3]


def test_large_deliveries_go_together_by_bytes(monkeypatch) -> None:
    monkeypatch.setattr(collecting, "BATCH_BYTES", 100)
    answers = [delivery(60), delivery(60), NotModified(OFFER, NOW), delivery(100), delivery(1)]
    assert [len(batch) for batch in _batches(answers)] == [2, 2, 1]
    assert sum(len(batch) for batch in _batches(answers)) == len(answers)
