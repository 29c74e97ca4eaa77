"""What all requests share: the study, its database, open recordings, and the motion curves."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import select

from annotation import catalogue
from annotation.layers import Layers, read_layers
from annotation.motion.worker import MotionWorker
from annotation.outcomes import Outcomes
from annotation.store import Database
from annotation.store.known import open_database
from annotation.store.schema import RecordingRow
from annotation.study import WORK_FOLDER, Study
from capture.session import SESSION_FILE
from capture.web import PictureShelf

_OPEN_RECORDINGS = 32
_KEPT_LAYERS = 64


@dataclass
class Context:
    """One running application."""

    root: Path
    """Folder of the sessions."""
    study: Study
    database: Database
    secure: bool = False
    """Whether pages come over TLS: cookies then travel over nothing else."""
    outcomes: Outcomes = field(default_factory=Outcomes)
    shelf: PictureShelf = field(default_factory=lambda: PictureShelf(_OPEN_RECORDINGS))

    def __post_init__(self) -> None:
        self.motion = MotionWorker(self.root / WORK_FOLDER / "motion")
        self._layers: dict[str, Layers] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, root: Path, study: Study, url: str | None = None, *, secure: bool = False) -> Self:
        """Open the database and look for recordings.

        Raises:
            BadInput: The folder or the URL cannot be used.
            DatabaseUnusable: The database cannot be reached.
        """
        scanned = catalogue.scan(root, study)
        database = open_database(root, url)
        with database.write() as session:
            catalogue.enter(session, scanned)
        context = cls(root, study, database, secure)
        context._forget_what_is_gone()
        return context

    def scan(self) -> tuple[str, ...]:
        """Look for recordings anew; returns what cannot be coded."""
        scanned = catalogue.scan(self.root, self.study)
        with self.database.write() as session:
            catalogue.enter(session, scanned)
        with self._lock:
            self._layers.clear()
        self._forget_what_is_gone()
        return scanned.problems

    def _forget_what_is_gone(self) -> None:
        with self.database.read() as session:
            gone = session.scalars(select(RecordingRow.id).where(RecordingRow.missing)).all()
        for number in gone:
            self.motion.forget(number)

    def path_of(self, recording: RecordingRow) -> Path:
        """Where a recording lies."""
        return self.root / recording.path

    def layers_of(self, recording: RecordingRow) -> Layers:
        """Stimulus, self-reports and live spottings of a recording; none for what came from elsewhere."""
        if not recording.session:
            return Layers()
        with self._lock:
            if (known := self._layers.get(recording.path)) is not None:
                return known
        path = self.path_of(recording)
        folder = next((one for one in path.parents if (one / SESSION_FILE).is_file()), None)
        layers = read_layers(folder, recording.trial, self.study.stimuli) if folder else Layers()
        with self._lock:
            while len(self._layers) >= _KEPT_LAYERS:
                self._layers.pop(next(iter(self._layers)))
            self._layers[recording.path] = layers
        return layers

    def close(self) -> None:
        """Stop what runs in the background, and let go of the database."""
        self.motion.close()
        self.database.close()
