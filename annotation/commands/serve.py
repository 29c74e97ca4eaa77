"""`dfme-annotate serve`: the web application, until Ctrl-C."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func, select

from annotation.api_models import Role
from annotation.commands.common import Db, Json, Sessions, StudyFile, counted
from annotation.server import Context, create_app
from annotation.store.schema import RecordingRow, UserRow
from annotation.study import load_study
from annotation.users import add_user
from capture.console import output, print_json
from capture.web import WebServer, checked_address

EPILOG = """
On the first start a user `lead` is made, and the password is printed once. The lead enters the others in the browser.

Examples:

  dfme-annotate serve /data/study1

  dfme-annotate serve /data/study1 --port 8600 --db postgresql://dfme@dbhost/study1

  dfme-annotate serve /data/study1 --host 0.0.0.0 --tls-cert lab.pem --tls-key lab.key
"""


def serve(
    sessions: Sessions,
    db: Db = None,
    study: StudyFile = None,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine's need TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8500,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, PEM.", show_default=False)] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.", show_default=False)] = None,
    json_output: Json = False,
) -> None:
    """Open the web application for coders and leads on a folder of sessions."""
    address = checked_address(host, port, tls_cert, tls_key)
    context = Context.open(sessions, load_study(sessions, study), db, secure=address.secure)
    try:
        with context.database.write() as session:
            first_password = None
            if session.scalar(select(func.count()).select_from(UserRow)) == 0:
                _, first_password = add_user(session, "lead", [Role.LEAD])
            recordings = session.scalar(
                select(func.count()).select_from(RecordingRow).where(RecordingRow.missing.is_(False))
            )
        server = WebServer(create_app(context), address)
    except BaseException:
        context.close()
        raise
    with server:
        console = output()
        console.print(f"{context.study.name}: {counted(recordings or 0, 'recording')}, at {server.url}")
        if first_password is not None:
            console.print(f"log in as `lead` with the password {first_password} (shown this once)")
        console.print("Ctrl-C ends it; everything that was answered is kept.")
        if json_output:
            print_json({"url": server.url, "recordings": recordings, "lead_password": first_password})
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
