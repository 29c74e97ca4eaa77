"""Takes a participant out of a database: recordings, and all that was cut, dealt, answered or decided of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from annotation.store.database import Database
from annotation.store.schema import AssignmentRow, Base, DecisionRow, RecordingRow, RoundRow, UserRow

WITHDRAWN: Final = "//withdrawn/"
"""What the path of a recording begins with whose participant withdrew: no path of a real one does."""


@dataclass(frozen=True)
class Kept:
    """What a database has of a participant."""

    rows: Mapping[str, int] = field(default_factory=dict)
    """By table, how many; tables without any are left out."""
    recordings: tuple[int, ...] = ()
    """Their numbers: motion curves are kept under these."""
    paths_elsewhere: tuple[str, ...] = ()
    """Of recordings that belong to no session, relative to the folder of sessions: theirs by the name alone."""
    coders: tuple[str, ...] = ()
    """Users who were dealt work on them, and whose browsers may still have pictures."""


def kept_of(session: Session, participant: str) -> Kept:
    """What there is of a participant."""
    found = session.execute(
        select(RecordingRow.id, RecordingRow.path, RecordingRow.session).where(RecordingRow.participant == participant)
    ).all()
    if not found:
        return Kept()
    rows = {
        table.name: session.scalar(select(func.count()).select_from(table).where(theirs)) or 0
        for table, theirs in _theirs(participant).items()
    }
    coders = session.scalars(
        select(UserRow.name)
        .where(UserRow.id.in_(select(AssignmentRow.user_id).where(_of(AssignmentRow.__table__, participant))))
        .order_by(UserRow.name)
    )
    return Kept(
        {name: count for name, count in rows.items() if count},
        tuple(sorted(row.id for row in found)),
        tuple(sorted(row.path for row in found if not row.session)),
        tuple(coders),
    )


def erase(database: Database, participant: str) -> Kept:
    """Remove all of it, in one transaction, whoever works in the database meanwhile; returns what there was.

    A row without content stays for each recording, so that its number is never given to another one. Rounds over nobody
    else's recordings go as well: their titles may name files.
    """
    with database.write() as session:
        # Who is about to add an answer waits, and then finds no assignment to add it to.
        for table, theirs in _theirs(participant).items():
            session.execute(select(*table.primary_key.columns).where(theirs).with_for_update()).all()
        kept = kept_of(session, participant)
        if not kept.recordings:
            return kept
        rounds = set(session.scalars(select(AssignmentRow.round_id).where(_of(AssignmentRow.__table__, participant))))
        rounds |= set(session.scalars(select(DecisionRow.round_id).where(_of(DecisionRow.__table__, participant))))
        for table, theirs in reversed(_theirs(participant).items()):
            if table is not RecordingRow.__table__:
                session.execute(delete(table).where(theirs))
        used = select(AssignmentRow.round_id).union(select(DecisionRow.round_id))
        session.execute(delete(RoundRow).where(RoundRow.id.in_(rounds), RoundRow.id.not_in(used)))
        for number in kept.recordings:
            nobody = {"path": f"{WITHDRAWN}{number}", "session": "", "trial": "", "participant": None, "missing": True}
            nothing = {"frames": 0, "rate_fps": 0.0, "width_px": 0, "height_px": 0}
            unseen = {"stimulus": None, "stimulus_emotion": None}
            session.execute(update(RecordingRow).where(RecordingRow.id == number).values(**nobody, **nothing, **unseen))
    _forget(database, [table.name for table in _theirs(participant)])
    return kept


def _theirs(participant: str) -> dict[Table, ColumnElement[bool]]:
    """Every table that has rows of a participant, parents before children, with the condition for these rows."""
    recordings: Any = RecordingRow.__table__
    found: dict[Table, ColumnElement[bool]] = {recordings: recordings.c.participant == participant}
    for table in Base.metadata.sorted_tables:
        links = [
            key.parent.in_(select(key.column).where(found[key.column.table]))
            for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
            if key.column.table in found and key.column.table is not table
        ]
        if links:
            found[table] = or_(*links)
    return found


def _of(table: Any, participant: str) -> ColumnElement[bool]:
    return _theirs(participant)[table]


def _forget(database: Database, tables: list[str]) -> None:
    """Have the database overwrite what was deleted, as far as it can while others use it."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.engine.dialect.name == "sqlite":
            # Deleted content is overwritten (`secure_delete`), and this takes it out of the log of changes as well.
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            for table in tables:
                connection.execute(text(f"VACUUM {table}"))
