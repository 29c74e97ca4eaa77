"""Opens the database of a study, SQLite or PostgreSQL, and brings its tables up to date."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from capture.errors import BadInput, CaptureError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WRITES: Final = "dfme_writes"
_BUSY_MS: Final = 15_000
_POOL: Final = 20
_LOCK: Final = 0x0DF3E
"""Names our lock among those of a PostgreSQL server."""


class DatabaseUnusable(CaptureError):
    """The database cannot be reached, or was made by a newer version."""


class Database:
    """A study's database. `read` and `write` are short transactions; both may be used from many threads.

    SQLite runs in WAL mode: readers never wait, writers wait for each other. Every commit is on disk when `write` ends.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(**{_WRITES: True})
        # SQLite lets writers who wait sleep up to a tenth of a second; within a process they can take turns at once.
        self._turn: AbstractContextManager[object] = Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, and run the migrations that are missing.

        Args:
            url: As SQLAlchemy has it: `sqlite:////data/study/annotation/annotation.sqlite`,
                `postgresql+psycopg://user:password@host/name`; `postgresql://` means psycopg here.

        Raises:
            BadInput: The URL is none, or of a kind that is not supported.
            DatabaseUnusable: It cannot be reached, or a newer version of dfme has changed it.
        """
        engine = _engine(url)
        shown = engine.url.render_as_string(hide_password=True)
        try:
            with engine.connect() as connection, _alone(connection, engine):
                _migrate(connection)
        except SQLAlchemyError as error:
            engine.dispose()
            detail = str(getattr(error, "orig", None) or error).strip().splitlines()
            raise DatabaseUnusable(f"cannot use the database {shown}: {detail[0] if detail else error}") from None
        except CommandError as error:
            engine.dispose()
            raise DatabaseUnusable(
                f"the database {shown} was made by another version of dfme ({error}): use that version or a newer one"
            ) from None
        return cls(engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or rolled back on an error."""
        with self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            if not parsed.database:
                raise BadInput("a database in memory would be lost: give the path of a file, sqlite:////data/x.sqlite")
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(parsed, pool_size=_POOL, max_overflow=_POOL)
            event.listen(engine, "connect", _sqlite_connect)
            event.listen(engine, "begin", _sqlite_begin)
        elif backend == "postgresql":
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            engine = create_engine(parsed, pool_size=_POOL, max_overflow=_POOL, pool_pre_ping=True)
        else:
            raise BadInput(f"databases of kind {backend!r} are not supported: use sqlite or postgresql")
    except (ArgumentError, NoSuchModuleError) as error:
        raise BadInput(f"{url!r} is not the URL of a database ({error})") from None
    except ModuleNotFoundError as error:
        raise BadInput(f"{error.name} is not installed: ./install.sh --with postgres") from None
    return engine


def _sqlite_connect(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself; ours begin as readers or writers.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # What is deleted of a participant is overwritten, and not only forgotten.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    # A reader that becomes a writer midway fails at once instead of waiting.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _alone(connection: Connection, engine: Engine) -> Iterator[None]:
    """Nobody else migrates meanwhile."""
    if engine.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            yield
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()
        return
    database = Path(str(engine.url.database))
    with database.with_name(database.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(connection: Connection) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def head() -> str:
    """The newest migration."""
    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return ScriptDirectory.from_config(configuration).get_current_head() or ""
