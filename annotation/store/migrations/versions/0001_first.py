"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "users",
        _key(),
        sa.Column("name", sa.String(40), nullable=False, unique=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
    )
    op.create_table(
        "logins",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
    )
    op.create_table(
        "recordings",
        _key(),
        sa.Column("path", sa.String(500), nullable=False, unique=True),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text()),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("rate_fps", sa.Float(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("stimulus", sa.Text()),
        sa.Column("stimulus_emotion", sa.Text()),
        sa.Column("missing", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "clips",
        _key(),
        sa.Column("recording_id", sa.Integer(), sa.ForeignKey("recordings.id"), nullable=False, index=True),
        sa.Column("first_frame", sa.BigInteger(), nullable=False),
        sa.Column("last_frame", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("retired", _TIME),
    )
    op.create_table(
        "rounds",
        _key(),
        sa.Column("kind", sa.String(20), nullable=False, index=True),
        sa.Column("coders", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened", _TIME, nullable=False),
        sa.Column("closed", _TIME),
    )
    op.create_table(
        "assignments",
        _key(),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("recording_id", sa.Integer(), sa.ForeignKey("recordings.id"), nullable=False),
        sa.Column("clip_id", sa.Integer(), sa.ForeignKey("clips.id")),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("repeat_of", sa.Integer(), sa.ForeignKey("assignments.id")),
        sa.UniqueConstraint("round_id", "user_id", "position"),
    )
    op.create_index("assignments_by_clip", "assignments", ["round_id", "clip_id"])
    op.create_table(
        "answers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("assignment_id", sa.Integer(), sa.ForeignKey("assignments.id"), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("frame_shown", sa.BigInteger()),
        sa.Column("given", _TIME, nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.UniqueConstraint("assignment_id", "version"),
    )
    op.create_table(
        "decisions",
        _key(),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id"), nullable=False, index=True),
        sa.Column("clip_id", sa.Integer(), sa.ForeignKey("clips.id"), nullable=False, index=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given", _TIME, nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Answers are never thrown away by a program."""
    raise RuntimeError("annotation databases are only ever brought forward: restore a backup to go back")
