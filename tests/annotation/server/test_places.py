"""Where a study lies and how it is reached: two servers on one database, a folder that moved, TLS."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from annotation.api_models import Role
from annotation.coded.from_study import study_samples
from annotation.server import Context, create_app
from annotation.store.known import default_url
from annotation.store.schema import AnswerRow
from annotation.users import add_user
from capture.web import WebServer, checked_address
from tests.annotation.people import CODERS, PASSWORD, People, small_study
from tests.annotation.server.conftest import four_clips, served


def marks(item: dict[str, int], late: int = 0) -> dict[str, object]:
    first = item["first_frame"] + late
    return {"kind": "keyframes", "expression": True, "onset": first + 5, "apex": first + 15, "offset": first + 40}


def test_two_servers_work_on_one_sqlite_file_and_the_folder_may_move(study_folder: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        one = stack.enter_context(served(study_folder, default_url(study_folder)))
        other = stack.enter_context(People(Context.open(study_folder, small_study())))
        four_clips(one)
        round_id = one.open_round("keyframes")
        for late, name in enumerate(CODERS):
            for number, item in enumerate(one.items(name, round_id)):
                shown = other[name].get(f"/api/items/{item}").json()
                # Versions go on from those that came in through the other server.
                for version, people in enumerate((one, other) if number % 2 else (other, one), start=1):
                    sent = {"answer": marks(shown, late), "version": version}
                    assert people[name].post(f"/api/items/{item}/answer", json=sent).status_code == 200
        assert other["lena"].get(f"/api/rounds/{round_id}/results").status_code == 403
        assert one["lena"].post(f"/api/rounds/{round_id}/close").status_code == 200
        item = one.items("ana", round_id)[0]
        late_answer = {"answer": marks(shown)}
        assert other["ana"].post(f"/api/items/{item}/answer", json=late_answer).status_code == 409
        settled = [people["lena"].get(f"/api/rounds/{round_id}/results").json() for people in (one, other)]
        assert settled[0] == settled[1]
        clip = settled[0]["clips"][0]
        answer = {**marks(clip), "onset": clip["first_frame"]}
        decided = f"/api/rounds/{round_id}/clips/{clip['clip']}/decision"
        assert one["lena"].post(decided, json={"answer": answer, "reason": "looked again"}).status_code == 200
        seen = other["lena"].get(f"/api/rounds/{round_id}/results").json()["clips"][0]
        assert (seen["by"], seen["answer"]["onset"]) == ("lead", clip["first_frame"])

    moved = shutil.move(study_folder, tmp_path / "elsewhere")
    with People(Context.open(Path(moved), small_study())) as people:
        assert people.items("ana", round_id)
        frame = people["ana"].get(f"/api/items/{item}/frames/{shown['first_frame']}.jpg")
        assert (frame.status_code, frame.headers["content-type"]) == (200, "image/jpeg")
        with people.context.database.read() as session:
            assert len(session.scalars(select(AnswerRow)).all()) == 4 * len(CODERS) * 2
            assert len(study_samples(session, people.context.outcomes)) == 4
        assert all(not one["missing"] for one in people["lena"].get("/api/recordings").json())


def test_over_tls_the_cookie_travels_over_nothing_else(study_folder: Path, tmp_path: Path) -> None:
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("no openssl is installed to make a certificate")
    certificate, key = tmp_path / "lab.pem", tmp_path / "lab.key"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, "req", "-x509", *kind, *names, *files], check=True, capture_output=True)
    context = Context.open(study_folder, small_study(), secure=True)
    with context.database.write() as session:
        add_user(session, "lena", [Role.LEAD], PASSWORD)
    address = checked_address("127.0.0.1", 0, certificate, key)
    trusted = ssl.create_default_context(cafile=certificate)
    with WebServer(create_app(context), address) as server, httpx.Client(base_url=server.url, verify=trusted) as client:
        assert server.url.startswith("https://")
        answer = client.post("/api/login", json={"name": "lena", "password": PASSWORD})
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
        assert client.get("/api/me").status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{server.port}/api/me")


def test_bodies_are_bounded_before_they_are_read(people: People) -> None:
    client = people["ana"]
    assert client.post("/api/items/1/answer", content=b" " * (5 << 20)).status_code == 413
    assert client.post("/api/items/1/answer", content=(b"{}" for _ in range(2))).status_code == 413
