"""`dfme-annotate serve` as its users start it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx


def test_the_first_start_makes_a_lead_and_ctrl_c_ends_it(study_folder):
    command = [sys.executable, "-m", "annotation.cli", "serve", str(study_folder), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("{"):
                break
        said = json.loads(lines[-1])
        with httpx.Client(base_url=said["url"], timeout=60) as client:
            assert client.get("/api/me").status_code == 401
            login = {"name": "lead", "password": said["lead_password"]}
            assert client.post("/api/login", json=login).json()["roles"] == ["lead"]
            assert [one["trial"] for one in client.get("/api/recordings").json()] == ["trial-001", "trial-002"]
            assert client.get("/").text.startswith("<!doctype html>")
            assert client.get("/openapi.json").json()["info"]["title"] == "dfme annotation"
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)

    assert (process.returncode, error) == (0, "")
    assert said["recordings"] == 2
    assert (study_folder / "annotation" / "annotation.sqlite").is_file()
