"""`dfme-elicit rate` as operator and volunteers use it, in a real browser."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from capture.errors import BadInput
from capture.web import WebServer, checked_address
from elicitation.placeholder import make_placeholder
from elicitation.rate_cli import rate
from elicitation.selection import read_ratings
from elicitation.web.rating_app import RatingStudy, find_clips, rating_app
from elicitation.web.ratings import RatingsFile, order_of

RATE = [sys.executable, "-P", "-m", "elicitation.cli", "rate"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips of a second, and one that no browser plays."""
    folder = tmp_path_factory.mktemp("clips")
    for name in ("one", "two", "three"):
        make_placeholder(
            folder / f"{name}.mp4", title=name, duration_s=0.5, rate_fps=Fraction(20), width_px=320, height_px=180
        )
    (folder / "four.mp4").write_bytes(b"not a video")
    return folder


@pytest.fixture
def running() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command; what still runs at the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [*RATE, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    while True:
        line = process.stderr.readline()
        assert line, "the command ended without an address"
        if line.startswith("open "):
            return line.split()[1]


def rate_one(page: Any, until: Callable[..., None], emotion: str, intensity: int) -> None:
    until(page, "document.querySelector('.ask') !== null")
    page.click(f".emotions .choice[data-value='{emotion}']")
    page.click(f".strengths .choice[data-value='{intensity}']")
    page.click(".save")


def watch(page: Any, until: Callable[..., None]) -> str | None:
    """Start the next clip that can be played, passing over others; None where all is done."""
    came = "document.querySelector('.words, .video-box .notice') || document.querySelector('video')?.readyState >= 3"
    until(page, came)
    while page.locator(".video-box .notice").count():
        page.click(".video-box button")
        until(page, came)
    if not page.locator("video").count():
        return None
    page.click(".start")
    return page.evaluate("document.querySelector('video').getAttribute('src')").split("/")[-1]


def enter(page: Any, until: Callable[..., None]) -> None:
    until(page, "document.querySelector('.code input') !== null")
    page.click(".code button")
    until(page, "document.querySelector('.code') === null")


def test_a_volunteer_rates_every_clip_and_can_stop_in_between(tmp_path, running, chromium, until, clips) -> None:
    out = tmp_path / "ratings.tsv"
    order = [name for name in order_of("V7", sorted(path.stem for path in clips.iterdir())) if name != "four"]
    command = running("--stimuli", clips, "--out", out, "--json")
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(address(command))
    until(page, "document.querySelector('.code input') !== null")
    page.fill(".code input", "V7")
    enter(page, until)

    for number, name in enumerate(order):
        assert watch(page, until) == name
        if number == 1:
            # Gone and come back: the clip that was not rated comes again.
            page.reload()
            enter(page, until)
            assert watch(page, until) == name
        rate_one(page, until, "fear", number + 2)
        until(page, "document.querySelector('.ask') === null")
    assert watch(page, until) is None
    assert "could not be played" in page.locator(".words").text_content()
    context.close()
    command.send_signal(signal.SIGINT)
    stdout, stderr = command.communicate(timeout=30)

    assert command.returncode == 0
    assert json.loads(stdout.splitlines()[-1]) == {
        "out": str(out), "ratings": 3, "new": 3, "volunteers": 1, "clips": 4
    }  # fmt: skip
    assert "V7 cannot play four.mp4" in stderr
    rated = [(one.volunteer, one.stimulus, one.emotion.value, one.intensity) for one in read_ratings(out)]
    assert rated == [("V7", name, "fear", number + 2) for number, name in enumerate(order)]


def test_others_need_tls_and_a_password(tmp_path, clips, running) -> None:
    process = running("--stimuli", clips, "--out", tmp_path / "r.tsv", "--host", "0.0.0.0")
    _, stderr = process.communicate()
    assert process.returncode == 2
    assert stderr.startswith("error: --host 0.0.0.0 is open to others")
    assert len(stderr.splitlines()) == 1

    short = tmp_path / "password.txt"
    short.write_text("short\n")
    one = clips / "one.mp4"
    for wrong, why in (
        ({"tls_cert": one, "tls_key": one}, "--password-file is missing"),
        ({"password_file": short}, "at least 10 characters"),
        ({"stimuli": tmp_path}, "has no videos"),
        ({"stimuli": one}, "is not a folder"),
        ({"protocol": "absent"}, "no protocol file 'absent'"),
    ):
        options = {"protocol": None, "host": "127.0.0.1", "port": 0, "tls_cert": None, "tls_key": None}
        with pytest.raises(BadInput, match=why):
            rate(**{"stimuli": clips, "out": tmp_path / "r.tsv", **options, "password_file": None, **wrong})
    assert not (tmp_path / "r.tsv").exists()


def test_the_password_lets_in_and_a_guess_does_not(tmp_path, clips) -> None:
    ratings = RatingsFile(tmp_path / "ratings.tsv")
    study = RatingStudy(find_clips(clips), {})
    app = rating_app(study, ratings, token="t" * 20, say=lambda _line: None, password="ten letters")
    with (
        WebServer(app, checked_address("127.0.0.1", 0)) as server,
        httpx.Client(base_url=server.url, follow_redirects=True) as client,
    ):
        assert 'type="password"' in client.get("/").text
        assert client.get("/clips/one").status_code == 403
        assert client.get("/shared/base.css").status_code == 200
        assert client.post("/enter", data={"password": "guess"}).status_code == 403
        assert client.post("/enter", content=b"password=" + b"x" * 10_000).status_code == 403
        assert client.get("/clips/one").status_code == 403

        assert "rate.js" in client.post("/enter", data={"password": "ten letters"}).text
        part = client.get("/clips/one", headers={"Range": "bytes=0-9"})
        assert (part.status_code, len(part.content)) == (206, 10)
        for path in ("/clips/five", "/clips/..%2fratings", "/clips/%2e%2e/ratings.tsv", "/clips/one.mp4"):
            assert client.get(path).status_code == 404

        given = {"volunteer": "V1", "stimulus": "one", "emotion": "fear", "intensity": 3}
        for wrong in ({"volunteer": "a\tb"}, {"volunteer": ""}, {"emotion": "others"}, {"intensity": 0}):
            assert client.post("/api/ratings", json={**given, **wrong}).status_code == 422
        assert client.post("/api/ratings", json={**given, "stimulus": "five"}).status_code == 404
        assert client.post("/api/ratings", json=given).json()["done"] == 1
        # Sent twice: the first answer counts.
        assert client.post("/api/ratings", json={**given, "intensity": 5}).json()["done"] == 1
    ratings.close()
    assert [one.intensity for one in read_ratings(tmp_path / "ratings.tsv")] == [3]
