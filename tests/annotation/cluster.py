"""A PostgreSQL server of our own, in a temporary folder, for as long as it is needed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql")


class NoPostgres(Exception):
    """Why no server can be started here."""


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """URL of a server without its database's name, `{name}` in its place.

    Args:
        durable: Whether commits wait for the disk, as they do on a real server.

    Raises:
        NoPostgres: Its programs are missing, or there is nobody to run them.
    """
    found = sorted(PROGRAMS.glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    if not found:
        raise NoPostgres("the programs of PostgreSQL are not installed")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="dfme-pg-"))
    try:
        as_other = _as_unprivileged(folder)
        data = folder / "data"
        initdb = [*as_other, programs / "initdb", "-D", data, "-A", "trust", "-U", "dfme", "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
        options = f"-k {folder} -c listen_addresses='' -c max_connections=100" + ("" if durable else " -c fsync=off")
        control = [*as_other, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w"]
        subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=folder)
        try:
            yield f"postgresql+psycopg://dfme@/{{name}}?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_postgres(server: str) -> str:
    """URL of a new database on the server."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    url = server.format(name="postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name=name)


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
    raise NoPostgres("PostgreSQL does not run as root, and there is no other user to run it")
