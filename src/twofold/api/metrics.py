"""``/metrics`` for Prometheus: numbers and names of syncs, to whoever may look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from twofold import __version__
from twofold.api.calls import Viewer
from twofold.api.once import Once
from twofold.services import health
from twofold.services.health import Status, Word
from twofold.services.installation import Installation
from twofold.store.syncs import Sync

router = APIRouter(route_class=Once, include_in_schema=False)


@router.get("/metrics")
def metrics(call: Viewer) -> Response:
    """All numbers of this moment."""
    registry = CollectorRegistry()
    registry.register(_Numbers(call.here))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Numbers(Collector):
    def __init__(self, here: Installation) -> None:
        self._here = here

    def collect(self) -> Iterable[Metric]:
        """Read everything once."""
        here = self._here
        syncs = here.state.syncs.all()
        found = [(sync, health.status(here, sync)) for sync in syncs]
        yield _one("twofold_build_info", "The version.", ["version"], [([__version__], 1)])
        silent = here.world.now().timestamp() - here.state.schedule.last_sign()
        yield _one(
            "twofold_worker_silent_seconds",
            "Since the worker's last sign of life.",
            [],
            [([], silent)],
        )
        yield self._records(syncs)
        yield from _of_syncs(found)
        yield self._failures(syncs)

    def _records(self, syncs: Iterable[Sync]) -> Metric:
        each = ((sync.name, self._here.state.links.counts(sync.id)) for sync in syncs)
        rows = [
            ([name, state], float(getattr(counts, state)))
            for name, counts in each
            for state in ("in_sync", "failing", "excluded", "waiting")
        ]
        return _one("twofold_records", "Records by where they stand.", ["sync", "state"], rows)

    def _failures(self, syncs: Iterable[Sync]) -> Metric:
        turns = [(sync, self._here.state.schedule.turn(sync.id)) for sync in syncs]
        rows = [([sync.name], turn.pace.attempts) for sync, turn in turns if turn is not None]
        return _one("twofold_runs_in_vain", "Runs in vain since the last good one.", ["sync"], rows)


def _of_syncs(found: list[tuple[Sync, Status]]) -> Iterator[Metric]:
    due = [([sync.name], status.due) for sync, status in found]
    yield _one("twofold_due_records", "Records that must be planned again.", ["sync"], due)
    words = [
        ([sync.name, word.name.lower()], float(status.word is word))
        for sync, status in found
        for word in Word
    ]
    yield _one("twofold_sync_status", "1 for the status of now.", ["sync", "status"], words)


def _one(
    name: str, meaning: str, labels: list[str], rows: Iterable[tuple[list[str], float]]
) -> Metric:
    made = GaugeMetricFamily(name, meaning, labels=labels)
    for values, number in rows:
        made.add_metric(values, number)
    return made
