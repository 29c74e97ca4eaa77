"""The tables of annotation. Answers and decisions are only ever added; nothing in them is changed or removed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """A moment with its zone, UTC, also where the database keeps none (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {datetime: UtcTime, str: Text, int: Integer, float: Float, bool: Boolean}  # noqa: RUF012 - SQLAlchemy reads it off the class


class UserRow(Base):
    """Who may log in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str]
    roles: Mapped[str]
    """Comma-separated."""
    active: Mapped[bool]
    created: Mapped[datetime]


class LoginRow(Base):
    """A log-in: the hash of its token, never the token."""

    __tablename__ = "logins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created: Mapped[datetime]
    expires: Mapped[datetime]


class RecordingRow(Base):
    """A recording that can be coded."""

    __tablename__ = "recordings"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(500), unique=True)
    """Relative to the folder of sessions."""
    session: Mapped[str]
    trial: Mapped[str]
    participant: Mapped[str | None]
    """Pseudonym."""
    frames: Mapped[int] = mapped_column(BigInteger)
    rate_fps: Mapped[float]
    width_px: Mapped[int]
    height_px: Mapped[int]
    stimulus: Mapped[str | None]
    stimulus_emotion: Mapped[str | None]
    missing: Mapped[bool]
    """Its files are gone, such as after a withdrawal."""


class ClipRow(Base):
    """A fragment of a recording with one expression in it, as stage 1 or an import made it."""

    __tablename__ = "clips"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), index=True)
    first_frame: Mapped[int] = mapped_column(BigInteger)
    last_frame: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str]
    origin: Mapped[str]
    """`selection`, `split` or `import`."""
    made_by: Mapped[str]
    """Name of the user, or the file of an import."""
    created: Mapped[datetime]
    retired: Mapped[datetime | None]
    """When it was cut anew; its answers stay."""


class RoundRow(Base):
    """A round of coding over some clips (recordings, in selection)."""

    __tablename__ = "rounds"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    coders: Mapped[int]
    """Per clip; 0 for labels that were imported."""
    seed: Mapped[int] = mapped_column(BigInteger)
    opened_by: Mapped[str]
    opened: Mapped[datetime]
    closed: Mapped[datetime | None]


class AssignmentRow(Base):
    """A piece of work of one coder. The table decides what a coder may see."""

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("round_id", "user_id", "position"),
        Index("assignments_by_clip", "round_id", "clip_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    clip_id: Mapped[int | None] = mapped_column(ForeignKey("clips.id"))
    """None in selection, where the recording is the work."""
    position: Mapped[int]
    """From 1, in the coder's own random order."""
    repeat_of: Mapped[int | None] = mapped_column(ForeignKey("assignments.id"))
    """The same coder's first assignment of the same clip: a hidden repeat."""


class AnswerRow(Base):
    """One version of an answer."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("assignment_id", "version"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), index=True)
    version: Mapped[int]
    """From 1; the highest counts."""
    answer: Mapped[str]
    """JSON, one of `annotation.api_models.Answer`."""
    frame_shown: Mapped[int | None] = mapped_column(BigInteger)
    given: Mapped[datetime]
    software: Mapped[str]


class DecisionRow(Base):
    """What a lead decided, or an import said, of a clip; the last one counts."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    clip_id: Mapped[int] = mapped_column(ForeignKey("clips.id"), index=True)
    by: Mapped[str]
    answer: Mapped[str]
    """JSON, as in answers."""
    reason: Mapped[str]
    given: Mapped[datetime]
    software: Mapped[str]


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def as_dict(row: Base) -> dict[str, Any]:
    """Columns of a row."""
    return {column.key: getattr(row, column.key) for column in row.__mapper__.columns}
