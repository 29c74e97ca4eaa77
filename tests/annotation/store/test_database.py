"""Databases: both kinds, migrations, and what cannot be opened."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from annotation.api_models import Role
from annotation.coded.from_study import study_samples
from annotation.outcomes import Outcomes
from annotation.store import Database, DatabaseUnusable
from annotation.store.database import head
from annotation.store.schema import AnswerRow, Base, UserRow, now
from annotation.users import add_user, checked_user
from capture.errors import BadInput
from expression import Emotion


def test_migrations_make_what_the_program_expects(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
        assert context.get_current_revision() == head()
        assert compare_metadata(context, Base.metadata) == []


def test_opening_again_keeps_what_is_there(database):
    with database.write() as session:
        add_user(session, "ana", [Role.LEAD])
    url = database.engine.url.render_as_string(hide_password=False)

    again = Database.open(url)

    with again.read() as session:
        assert session.scalars(select(UserRow.name)).all() == ["ana"]
        assert session.scalar(select(UserRow.created)).tzinfo is not None
    again.close()


def test_a_study_of_the_first_revision_keeps_every_row_and_goes_on(tmp_path):
    """`first_revision.sql` is what the first tables held of a coded study; it is never made anew."""
    file = tmp_path / "annotation.sqlite"
    with closing(sqlite3.connect(file)) as old:
        old.executescript(Path(__file__).with_name("first_revision.sql").read_text())
        tables = [name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            table: [column[1] for column in old.execute(f"PRAGMA table_info({table})")]
            for table in tables
            if table != "alembic_version"
        }

    def rows() -> dict[str, list[tuple[object, ...]]]:
        with closing(sqlite3.connect(file)) as read:
            return {
                table: read.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
                for table, names in columns.items()
            }

    before = rows()
    assert len(before["answers"]) == 34
    database = Database.open(f"sqlite:///{file}")
    assert rows() == before
    with database.write() as session:
        assert [sample.emotion for sample in study_samples(session, Outcomes())] == [
            *(Emotion.HAPPINESS, Emotion.CONTEMPT),
            *(Emotion.HAPPINESS, Emotion.CONTEMPT),
        ]
        assert checked_user(session, "ana", "long enough a password") is not None
        add_user(session, "dora", [Role.LEAD])
    database.close()


def test_two_that_open_at_once_migrate_once(tmp_path):
    opened: list[Database] = []
    threads = [
        threading.Thread(target=lambda: opened.append(Database.open(f"sqlite:///{tmp_path}/a.sqlite"))) for _ in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 4
    for one in opened:
        one.close()


def test_an_answer_needs_its_assignment(database):
    row = AnswerRow(assignment_id=17, version=1, answer="{}", frame_shown=None, given=now(), software="test")
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(row)


def test_a_database_from_a_newer_version_is_refused(sqlite):
    with sqlite.engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()

    with pytest.raises(DatabaseUnusable, match="another version of dfme"):
        Database.open(str(sqlite.engine.url))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://", "in memory"),
        ("mysql://host/name", "not supported|not installed"),
        ("nonsense", "not the URL of a database"),
        ("oracle9://x/y", "not"),
    ],
)
def test_urls_that_cannot_be_used_are_bad_input(url, words):
    with pytest.raises(BadInput, match=words):
        Database.open(url)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(DatabaseUnusable) as caught:
        Database.open(f"postgresql://dfme:secret@/name?host={tmp_path}")
    assert "secret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
