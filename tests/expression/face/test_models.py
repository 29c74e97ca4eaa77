"""Model files: offline folder first, then the cache, then the network; never without the checksum, never without an
end."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from expression.face.models import FACE_LANDMARKER, ModelFile, cache_folder, locate, sha256_of

CONTENT = b"weights " * 50_000


class Publisher(ThreadingHTTPServer):
    """Serves CONTENT at /model, something else at /other, and never the end of it at /stuck."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = 0
        self.release = threading.Event()

    def model(self, path: str) -> ModelFile:
        url = f"http://127.0.0.1:{self.server_port}{path}"
        return ModelFile("model.bin", url, hashlib.sha256(CONTENT).hexdigest(), "CC0-1.0")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests += 1
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path == "/stuck":
            self.wfile.write(CONTENT[:100_000])
            self.wfile.flush()
            self.server.release.wait(20)
        elif self.path == "/cut":
            self.wfile.write(CONTENT[:100_000])
        else:
            self.wfile.write(CONTENT if self.path == "/model" else CONTENT[::-1])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Publisher()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DFME_MODELS", raising=False)
    return cache_folder()


def test_the_cache_lies_in_the_users_cache_folder(cache, tmp_path):
    assert cache.is_relative_to(tmp_path / "cache")
    assert not cache.exists(), "looking for it does not make it"


def test_a_model_is_fetched_once_and_then_found_in_the_cache(publisher, cache, capfd):
    model = publisher.model("/model")
    first = locate(model)
    assert first.path == cache / "model.bin"
    assert first.path.read_bytes() == CONTENT
    assert "fetched" in first.reason
    second = locate(model)
    assert second.path == first.path
    assert "the cache" in second.reason
    assert publisher.requests == 1
    assert capfd.readouterr() == ("", ""), "the library says nothing by itself"


def test_the_offline_folder_comes_first_and_needs_no_network(publisher, tmp_path, monkeypatch):
    (tmp_path / "offline").mkdir()
    (tmp_path / "offline" / "model.bin").write_bytes(CONTENT)
    monkeypatch.setenv("DFME_MODELS", os.pathsep.join([str(tmp_path / "absent"), str(tmp_path / "offline")]))
    found = locate(publisher.model("/model"))
    assert found.path == tmp_path / "offline" / "model.bin"
    assert "offline folder" in found.reason
    assert publisher.requests == 0


@pytest.mark.parametrize("damage", [CONTENT[:-1], b"", CONTENT[::-1]])
def test_a_damaged_offline_file_is_not_used_and_left_as_it_is(publisher, tmp_path, monkeypatch, damage):
    (tmp_path / "model.bin").write_bytes(damage)
    monkeypatch.setenv("DFME_MODELS", str(tmp_path))
    found = locate(publisher.model("/model"), download=False)
    assert found.path is None
    assert f"damaged or another version in the offline folder {tmp_path}" in found.reason
    assert (tmp_path / "model.bin").read_bytes() == damage


def test_a_damaged_cache_is_replaced(publisher, cache):
    cache.mkdir(parents=True)
    (cache / "model.bin").write_bytes(CONTENT[:1000])
    found = locate(publisher.model("/model"))
    assert found.path is not None
    assert sha256_of(found.path) == publisher.model("/model").sha256


@pytest.mark.parametrize(
    ("path", "said"), [("/other", "another checksum"), ("/gone", "refused: 404"), ("/cut", "no connection")]
)
def test_what_cannot_be_fetched_is_said_and_leaves_nothing_behind(publisher, cache, path, said):
    found = locate(publisher.model(path))
    assert found.path is None
    assert said in found.reason
    assert "DFME_MODELS" in found.reason
    assert list(cache.iterdir()) == []


def test_a_download_that_does_not_go_on_is_given_up(publisher, cache):
    found = locate(publisher.model("/stuck"), timeout_s=0.3)
    assert found.path is None
    assert not (cache / "model.bin").exists()


def test_without_network_or_file_there_is_a_reason_and_no_exception(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/model"
        found = locate(ModelFile("model.bin", url, "0" * 64, "CC0-1.0"))
    assert found.path is None
    assert "no connection to the publisher" in found.reason
    assert "\n" not in found.reason


def test_a_cache_that_cannot_be_written_is_said(publisher, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = locate(publisher.model("/model"))
    assert found.path is None
    assert "cannot be" in found.reason or "unreadable" in found.reason


def test_the_landmark_model_is_that_of_its_publisher(monkeypatch, model_path):
    assert sha256_of(model_path) == FACE_LANDMARKER.sha256
    assert FACE_LANDMARKER.licence == "Apache-2.0"
