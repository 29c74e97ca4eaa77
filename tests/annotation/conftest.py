"""Databases to test on: SQLite always, and PostgreSQL in a cluster of its own where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.store import Database

PROGRAMS = Path("/usr/lib/postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server without its database's name; it runs for this test session alone."""
    pytest.importorskip("psycopg")
    found = sorted(PROGRAMS.glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    if not found:
        pytest.skip("the programs of PostgreSQL are not installed")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="dfme-pg-"))
    try:
        as_other = _as_unprivileged(folder)
        data = folder / "data"
        initdb = [*as_other, programs / "initdb", "-D", data, "-A", "trust", "-U", "dfme", "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        control = [*as_other, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w"]
        subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=folder)
        try:
            yield f"postgresql+psycopg://dfme@/{{name}}?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_unprivileged(folder: Path) -> list[str]:
    """How to run a program that refuses to run as root."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if shutil.which("setpriv"):
            os.chown(folder, user.pw_uid, user.pw_gid)
            return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
    pytest.skip("PostgreSQL does not run as root, and there is no other user to run it")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        opened = Database.open(f"sqlite:///{tmp_path}/annotation.sqlite")
    else:
        opened = Database.open(new_postgres(request.getfixturevalue("postgres")))
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database."""
    opened = Database.open(f"sqlite:///{tmp_path}/annotation.sqlite")
    yield opened
    opened.close()


def new_postgres(server: str) -> str:
    """URL of a new database on the server."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    url = server.format(name="postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name=name)
