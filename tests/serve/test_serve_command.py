"""`fusion serve` as a process: killed, stopped, locked."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.serve.served import serve

pytestmark = pytest.mark.slow  # every server loads models and Gradio, which takes some seconds


def desks(folder):
    return list(folder.glob("fusion-*"))


def half_an_upload(url):
    """A connection that has sent half of what it announces."""
    host, port = url.split("/")[2].split(":")
    own = socket.create_connection((host, int(port)))
    head = f"POST /api/predict HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="Doe.nii.gz"\r\n\r\n'
    own.sendall(f"{head}Content-Length: 9000000\r\n\r\n".encode() + part + bytes(4_000_000))
    return own


def test_a_killed_server_s_desk_is_swept_by_the_next_and_a_stopped_one_leaves_nothing(ct_bundle, tmp_path):
    with serve([ct_bundle], tmp_path) as first:
        with half_an_upload(first.url):
            answered = httpx.get(f"{first.url}api/health", timeout=10)
            assert answered.json()["state"] == "ready"
            killed = desks(tmp_path)
            assert len(killed) == 1
            (killed[0] / "image.nii.gz").write_bytes(b"a patient")
            first.process.kill()
            first.process.wait(20)
        assert desks(tmp_path) == killed, "a kill leaves what there is"
    with serve([ct_bundle], tmp_path) as second:
        now = desks(tmp_path)
        assert len(now) == 1
        assert now != killed
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(20) == 130
    assert desks(tmp_path) == []
    assert not [path for path in tmp_path.rglob("*") if "Doe" in path.name]
    assert "Doe" not in (tmp_path / "out.txt").read_text()


def test_the_login_covers_every_route_of_gradio_too(ct_bundle, tmp_path):
    command = [sys.executable, "-m", "tests.serve.locked", str(ct_bundle), str(tmp_path)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout)
    assert told["page"] == 200, "with the password"
    known = {"/gradio_api/queue/data", "/gradio_api/upload", "/api/predict", "/docs", "/viewer/name"}
    assert known <= set(told["without"])
    assert {path: seen for path, seen in told["without"].items() if seen != [401, 401]} == {}


def test_a_server_for_others_needs_a_user_and_a_password(ct_bundle):
    public = [sys.executable, "-m", "fusion.cli", "serve", str(ct_bundle), "--host", "0.0.0.0"]
    silent = {key: value for key, value in os.environ.items() if key != "FUSION_PASSWORD"}
    for options, says in (([], "no login for 0.0.0.0"), (["--user", "radiology"], "no password")):
        ended = subprocess.run([*public, *options], capture_output=True, text=True, timeout=60, env=silent,
                               stdin=subprocess.DEVNULL)  # fmt: skip
        assert ended.returncode == 1
        assert says in ended.stderr
