"""Journals made event by event, for what no short run brings about."""

from pathlib import Path

import numpy as np

from journal import JournalWriter
from kernel.events.body import encode_body, pack_body
from kernel.events.catalogue import Event
from kernel.events.layout import Stored, encode, schema_digest
from replay.config import load_config
from replay.execution import prepare
from replay.opening import opening_frames
from tests.replay.inspect.runs import BTC

GENESIS = bytes(range(16))
START_NS = 1_500_000_000_000_000_000
SECOND_NS = 1_000_000_000


class Told:
    """A journal in the making. Each event is a frame, a second after the one before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = load_config(None, {"data": [BTC], "strategy": [{"use": "ema_cross"}], "limits": {"order_lots": 77}})
        prepared = prepare(config)
        frames = opening_frames(config, prepared.universe, prepared.strategies, prepared.resolved, START_NS)
        folder.mkdir(parents=True)
        self.writer = JournalWriter.create(
            folder / "journal", origin="a test", genesis_id=GENESIS, schema_digest=schema_digest(), fsync="off"
        )
        self.sequence, self.now_ns = 1, START_NS
        for frame in frames:
            self._append(frame.records, frame.bodies)

    def tell(
        self,
        event: Event,
        *,
        instrument: int = 0,
        strategy: int = 0,
        cause: int = 0,
        body: object = None,
        kind: int | None = None,
    ) -> int:
        """Write one event, as if it were of another ``kind`` where that is given; returns its sequence."""
        self.now_ns += SECOND_NS
        packed = encode_body(body) if body is not None else b""
        stored = Stored(self.sequence, self.now_ns, self.now_ns, cause, instrument, strategy, 0, event, packed)
        record = encode(stored).copy()
        if kind is not None:
            record["kind"] = kind
        self._append(record, pack_body(packed) if packed else b"")
        return stored.sequence

    def _append(self, records: np.ndarray, bodies: bytes) -> None:
        self.writer.append(
            records.view(np.uint8),
            bodies,
            event_count=len(records),
            first_sequence=self.sequence,
            ts_ingest_ns=self.now_ns,
        )
        self.sequence += len(records)

    def done(self) -> Path:
        """The folder, with the journal closed."""
        self.writer.close()
        return self.folder
