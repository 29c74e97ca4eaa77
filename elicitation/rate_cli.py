"""`dfme-elicit rate`: lets volunteers rate clips in the browser."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from capture.console import print_json
from capture.errors import BadInput
from capture.toml_file import read_text
from elicitation.protocol import load_protocol
from elicitation.web.ratings import RatingsFile

RATE_EPILOG = """
Volunteers watch each clip once, in an order of their own, and name one emotion and its intensity. Answers are
appended as they are given; a volunteer who comes back with the same code goes on where they stopped. Ctrl-C ends.

Examples:

  dfme-elicit rate --stimuli clips --out ratings.tsv

  dfme-elicit rate --stimuli clips --out ratings.tsv --host 0.0.0.0 --port 8443 --tls-cert cert.pem --tls-key key.pem
  --password-file password.txt

then:

  dfme-elicit select ratings.tsv --min-raters 20
"""
_SHORTEST_PASSWORD = 10


def rate(
    stimuli: Annotated[Path, typer.Option(help="Folder with the clips; a clip is called like its file.")],
    out: Annotated[Path, typer.Option(help="Table of ratings, made or appended to.")],
    protocol: Annotated[
        str | None, typer.Option(help="Protocol whose language and words the pages are in. Default: English.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine's need TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 0,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File whose first line volunteers must enter; needed with TLS.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print at the end what was rated as one JSON object.")
    ] = False,
) -> None:
    """Let volunteers rate clips in the browser: one emotion and how strong, appended to a table for `select`."""
    # A web server takes half a second to load, which the other commands need not wait for.
    from capture.web import WebServer, checked_address, new_token  # noqa: PLC0415
    from elicitation.web.rating_app import RatingStudy, find_clips, rating_app  # noqa: PLC0415

    address = checked_address(host, port, tls_cert, tls_key)
    password = _password(password_file)
    if address.secure and password is None:
        raise BadInput("--password-file is missing: a server that others reach needs a password")
    described = load_protocol(protocol)[0] if protocol is not None else None
    study = RatingStudy(
        find_clips(stimuli),
        dict(described.words) if described else {},
        described.language if described else "en",
    )
    ratings = RatingsFile(out)
    before = len(ratings.ratings)
    token = new_token()

    def say(line: str) -> None:
        typer.echo(line, err=as_json)

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: ended.set())
    app = rating_app(study, ratings, token=token, say=say, password=password, secure=address.secure)
    try:
        with WebServer(app, address) as server:
            say(f"{len(study.clips)} clips, {before} ratings so far in {out}")
            say(f"open {server.url}/enter?token={token}")
            if password is not None:
                say(f"or let volunteers open {server.url} and enter the password")
            _wait(ended)
    finally:
        ratings.close()
    given = ratings.ratings
    volunteers = len({one.volunteer for one in given})
    if as_json:
        print_json(
            {"out": str(out), "ratings": len(given), "new": len(given) - before, "volunteers": volunteers}
            | {"clips": len(study.clips)}
        )
    else:
        typer.echo(f"{out}: {len(given)} ratings by {volunteers} volunteers, {len(given) - before} of them new")


def _wait(ended: threading.Event) -> None:
    while not ended.wait(3600):
        pass


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    password = next(iter(read_text(file, BadInput).splitlines()), "").strip()
    if len(password) < _SHORTEST_PASSWORD:
        raise BadInput(f"{file}: the first line must be a password of at least {_SHORTEST_PASSWORD} characters")
    return password
