"""Frames over HTTP: who gets in, which answers may be kept, and what a browser's canvas really shows."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from capture.errors import BadInput
from capture.recording.frame_pictures import FramePictures
from capture.simulator.stamp import read_stamp
from capture.web import (
    AccessByToken,
    PictureShelf,
    SafeHeaders,
    WebServer,
    checked_address,
    frames_router,
    serve_shared,
)

MakeRecording = Callable[..., Path]
TOKEN = "the-one-token"
PAGE = """<!doctype html><canvas style="width:640px;height:480px"></canvas>
<script type="module" src="/test.js"></script>"""
SCRIPT = """
import { FrameViewer } from "/shared/frame_viewer.js";
const info = await (await fetch("/frames/clip")).json();
window.canvas = document.querySelector("canvas");
window.heard = [];
window.viewer = new FrameViewer(canvas, {
  url: (index) => `/frames/clip/${index}.png?v=${info.version}`,
  count: info.count, rateFps: info.rate_fps, width: info.width_px, height: info.height_px, ahead: 8, behind: 4,
});
viewer.addEventListener("frame", (event) => heard.push(event.detail.frame));
// What is on the canvas now, one canvas pixel per picture pixel.
window.pixels = () => {
  viewer.zoomTo(1, 0, 0);
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const { x, y } = viewer.view;
    const data = canvas.getContext("2d").getImageData(x, y, info.width_px, info.height_px).data;
    let grey = "";
    for (let i = 0; i < data.length; i += 4) grey += String.fromCharCode(data[i]);
    resolve(btoa(grey));
  })));
};
window.ready = true;
"""


@pytest.fixture
def server(make_recording: MakeRecording) -> Iterator[WebServer]:
    """One recording of 40 frames, with ids from 0, behind the key `clip`."""
    path = make_recording(count=40, first_id=0, size=(32, 64))
    shelf = PictureShelf()

    def find(request: Request, key: str) -> FramePictures:
        if key == "torn":
            return shelf.get(path.parent)
        return shelf.get({"clip": path}[key])

    app = FastAPI()
    app.include_router(frames_router(find))
    serve_shared(app)

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return PAGE

    @app.get("/test.js")
    def script() -> HTMLResponse:
        return HTMLResponse(SCRIPT, media_type="text/javascript")

    @app.post("/change")
    def change() -> dict[str, bool]:
        return {"changed": True}

    guarded = SafeHeaders(AccessByToken(app, token=TOKEN))
    with WebServer(guarded, checked_address("127.0.0.1", 0)) as running:
        yield running


@pytest.fixture
def client(server: WebServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, follow_redirects=True) as known:
        assert known.get("/enter", params={"token": TOKEN}).status_code == 200
        yield known


def test_nobody_gets_in_without_the_token(server: WebServer) -> None:
    with httpx.Client(base_url=server.url) as stranger:
        for path in ("/", "/frames/clip", "/frames/clip/0.jpg", "/shared/base.css", "/enter", "/enter?token=guess"):
            assert stranger.get(path).status_code == 403
        stranger.cookies.set("dfme_guess", TOKEN)
        assert stranger.get("/").status_code == 403


def test_other_pages_cannot_change_anything(client: httpx.Client) -> None:
    assert client.post("/change").status_code == 200
    assert client.post("/change", headers={"Origin": str(client.base_url)}).status_code == 200
    assert client.post("/change", headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert client.post("/change", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_names_that_are_not_this_machine_are_refused(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 403


def test_every_answer_forbids_what_comes_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/frames/clip", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_frame_may_be_kept_with_its_version_and_not_without(client: httpx.Client) -> None:
    info = client.get("/frames/clip").json()
    assert (info["count"], info["rate_fps"], info["width_px"], info["height_px"]) == (40, 500.0, 64, 32)

    kept = client.get("/frames/clip/3.jpg", params={"v": info["version"]})
    assert kept.headers["content-type"] == "image/jpeg"
    assert "immutable" in kept.headers["cache-control"]
    assert "no-cache" in client.get("/frames/clip/3.jpg", params={"v": "older"}).headers["cache-control"]


def test_addresses_that_lead_nowhere_say_so(client: httpx.Client) -> None:
    for path, status in (
        ("/frames/clip/39.jpg", 200),
        ("/frames/clip/40.jpg", 404),
        ("/frames/clip/-1.jpg", 404),
        ("/frames/clip/1e3.jpg", 404),
        ("/frames/clip/" + "9" * 4000 + ".jpg", 404),
        ("/frames/clip/0.gif", 404),
        ("/frames/clip/0.jpg?region=0,0,8,8", 200),
        ("/frames/clip/0.jpg?region=0,0,0,0", 404),
        ("/frames/clip/0.jpg?region=everything", 422),
        ("/frames/clip/0.jpg?quality=0", 422),
        ("/frames/other", 404),
        ("/frames/torn", 404),
        ("/frames/..%2f..%2fetc%2fpasswd/0.jpg", 404),
        ("/shared/frame_viewer.js", 200),
        ("/shared/..%2fdoor.py", 404),
        ("/shared/%2e%2e/%2e%2e/door.py", 404),
    ):
        assert client.get(path).status_code == status, path


def test_a_server_is_open_to_others_only_with_a_certificate(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"0\.0\.0\.0 is open to others"):
        checked_address("0.0.0.0", 0)
    with pytest.raises(BadInput, match="belong together"):
        checked_address("127.0.0.1", 0, tls_cert=tmp_path / "cert.pem")
    with pytest.raises(BadInput, match="0 to 65535"):
        checked_address("127.0.0.1", 70_000)


def test_a_port_that_is_taken_is_named(server: WebServer) -> None:
    with pytest.raises(BadInput, match=f"port {server.port}"):
        WebServer(FastAPI(), checked_address("127.0.0.1", server.port))


def test_the_canvas_shows_the_frame_that_the_viewer_names(server: WebServer, chromium, until) -> None:
    page = chromium.new_page()
    page.goto(f"{server.url}/enter?token={TOKEN}")
    until(page, "window.ready && viewer.frame === 0")

    def id_on_canvas() -> int:
        grey = np.frombuffer(base64.b64decode(page.evaluate("pixels()")), np.uint8)
        stamp = read_stamp(grey.reshape(32, 64))
        assert stamp is not None
        assert stamp.intact
        return stamp.frame_id

    for order, frame in (
        ("viewer.seek(39)", 39),
        ("viewer.step(-1)", 38),
        ("viewer.step(-10)", 28),
        ("viewer.seek(0)", 0),
        ("viewer.step(1)", 1),
        ("viewer.seek(500)", 39),
    ):
        assert page.evaluate(order) is True
        assert page.evaluate("viewer.frame") == frame
        assert id_on_canvas() == frame

    # Keys held down ask for more than can come at once: what is named is still what is seen, and the last one wins.
    page.evaluate("viewer.seek(0)")
    assert page.evaluate(
        "(async () => { let last; for (let i = 0; i < 25; i++) last = viewer.step(1); return await last; })()"
    )
    assert page.evaluate("viewer.frame") == 25
    assert id_on_canvas() == 25
    page.close()


def test_playing_shows_each_frame_once_and_in_order_when_slow_enough(server: WebServer, chromium, until) -> None:
    page = chromium.new_page()
    page.goto(f"{server.url}/enter?token={TOKEN}")
    until(page, "window.ready && viewer.frame === 0")

    page.evaluate("heard.length = 0; viewer.seek(0).then(() => viewer.play({ speed: 1 / 32 }))")
    until(page, "viewer.frame === 39 && !viewer.playing")
    heard = page.evaluate("heard")

    assert heard == sorted(set(heard))
    assert heard[-1] == 39
    # 500 frames a second at 1/32 are 16 a second: every frame has several refreshes of the screen to be drawn in.
    assert len(heard) >= 36
    page.close()
