"""Which databases a study has: SQLite beside its sessions, and others that were used with it, which it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from annotation.store.database import Database
from capture.errors import FolderUnusable, RecordingInvalid
from capture.recording.files import read_document
from capture.study.coding import WORK_FOLDER

DATABASE_VARIABLE: Final = "DFME_DATABASE"
"""Environment variable with the URL of the database: unlike a command line, nobody else can read it."""
KNOWN_FILE: Final = "databases.jsonl"
_SQLITE_FILE: Final = "annotation.sqlite"


class _Line(msgspec.Struct, frozen=True):
    """One database."""

    url: str
    """Without the password."""


def default_url(root: Path) -> str:
    """The database of a study unless another one is named: SQLite, beside the sessions."""
    return f"sqlite:///{(root / WORK_FOLDER / _SQLITE_FILE).absolute()}"


def open_database(root: Path, url: str | None) -> Database:
    """Open the database of a study, and have the study remember where it is.

    Args:
        root: Folder of the sessions.
        url: As `Database.open`; None for the default one.

    Raises:
        BadInput: The URL is none.
        DatabaseUnusable: It cannot be reached.
        FolderUnusable: The study's folder cannot be written.
    """
    database = Database.open(url or default_url(root))
    if url is not None:
        try:
            _remember(root, database.engine.url)
        except BaseException:
            database.close()
            raise
    return database


def known_urls(root: Path, url: str | None = None) -> tuple[str, ...]:
    """Every database that the study has or had; `url`, with its password, takes the place of what is remembered of it.

    Raises:
        RecordingInvalid: What the study remembers is damaged.
    """
    by_plain = {_plain(make_url(url)): url} if url else {}
    urls = list(by_plain)
    if (root / WORK_FOLDER / _SQLITE_FILE).exists():
        urls.append(default_url(root))
    urls += _remembered(root)
    return tuple(by_plain.get(one, one) for one in dict.fromkeys(urls))


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for others."""
    parsed = make_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def shown(url: str) -> str:
    """A URL as it may be printed."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the database"


def _plain(url: URL) -> str:
    """The URL without its password, and with the file's whole path."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{Path(str(url.database)).absolute()}"
    return url._replace(drivername=url.get_backend_name(), password=None).render_as_string(hide_password=False)


def _remember(root: Path, url: URL) -> None:
    plain = _plain(url)
    if plain == default_url(root) or plain in _remembered(root):
        return
    file = root / WORK_FOLDER / KNOWN_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as lines:
            lines.write(msgspec.json.encode(_Line(plain)) + b"\n")
    except OSError as error:
        raise FolderUnusable(
            f"cannot write {file} ({error.strerror}): a withdrawal must know of the database {shown(plain)}"
        ) from error


def _remembered(root: Path) -> list[str]:
    file = root / WORK_FOLDER / KNOWN_FILE
    try:
        lines = read_document(file).splitlines()
        return [msgspec.json.decode(line, type=_Line).url for line in lines if line.strip()]
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingInvalid(f"{file} is damaged ({error}): mend or remove the line") from None
