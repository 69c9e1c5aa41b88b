"""Who may enter, what is refused before it is read, what every answer carries; without a model behind it."""

import base64
import io
import json
import re

import pytest
from starlette.testclient import TestClient

from fusion.config import parse
from fusion.serve import server
from fusion.serve.bundle import Bundle
from fusion.serve.contents import Folder
from fusion.serve.limits import Limits
from fusion.serve.login import FAILURES, Login, User
from fusion.serve.parts import FORMAT, Deployed, Judgement, Manifest, Ranges
from fusion.serve.service import Service
from fusion.serve.start import Place, ServeError, checked, listening
from fusion.serve.uploads import Desk
from fusion.serve.worker import Bounds, Worker
from tests.serve import deeds, made, made_answers

LOCAL = "http://127.0.0.1:7860"
PASSWORD = "correct horse"


def bundle(folder):
    """What the server reads of a bundle."""
    manifest = Manifest(format=FORMAT, fusion="0", name="toy", kind="regions", files={})
    judgement = Judgement(threshold=0.5, rule="youden", calibration={}, error=0.1)
    deployed = Deployed(questions=(), networks=(), judgements={"Combined": judgement})
    ranges = Ranges(features={}, clinical={}, hu={}, spacing_mm={})
    return Bundle(manifest, parse(made.CT), deployed, ranges, made_answers.card("Combined"), Folder(folder))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    limits = Limits(file_bytes=2_000_000, request_bytes=3_000_000, files=8)
    desk = Desk.open(tmp_path_factory.mktemp("desk"), limits)
    own = Service(
        {"toy": bundle(desk.folder)}, desk, Worker(deeds.setup, bounds=Bounds(seconds=20.0, memory_bytes=2**28))
    )
    yield own
    own.close()


@pytest.fixture(scope="module")
def client(service):
    with TestClient(server.app(service, page=False), base_url=LOCAL) as own:
        yield own


@pytest.fixture(scope="module")
def locked(service):
    application = server.app(service, login=User("radiology", PASSWORD), page=False)
    with TestClient(application, base_url=LOCAL) as own:
        yield own


def faults(response):
    return [fault["message"] for fault in response.json()["faults"]]


def basic(name, password):
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def every_path(application):
    """Every route that the application has, with something in place of its parameters."""
    return sorted({re.sub(r"{[^}]*}", "x", route.path) for route in application.routes} | {"/", "/no/such/place"})


def test_health_bundles_and_card(client, service):
    assert service.worker.ready.result(60) > 0
    assert client.get("/api/health").json() == {"state": "ready", "waiting": 0}
    about = client.get("/api/bundles").json()
    assert [own["name"] for own in about] == ["toy"]
    assert about[0]["clinical"]["margin"]["values"] == ["clear", "unclear"]
    assert client.get("/api/bundles/toy/card").json()["research_only"] == "research use only"
    assert client.get("/api/bundles/other/card").status_code == 404


def test_the_documents_of_the_api_need_no_other_machine(client):
    page = client.get("/docs").text
    scripts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(scripts) == 4
    for own in scripts:
        assert own == "data:," or (own.startswith("/docs/") and client.get(own).status_code == 200)
    schema = client.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.0")
    fields = schema["paths"]["/api/predict"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"image", "mask", "archive", "bundle", "clinical_age"} <= set(fields["properties"])
    assert '"type": "null"' not in json.dumps(schema), "a version that the page cannot show"


def test_answers_are_private_and_load_nothing_from_elsewhere(client):
    for path in ("/", "/docs", "/api/health", "/viewer/viewer.html", "/no/such/place"):
        headers = client.get(path).headers
        assert "no-" in headers["cache-control"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "http" not in headers["content-security-policy"]
        assert "server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "10.0.0.1:7860", ""])
def test_another_host_s_name_is_refused(client, host):
    response = client.get("/api/health", headers={"host": host})
    assert response.status_code == 400
    assert "another host" in faults(response)[0]


def test_another_page_s_request_is_refused(client):
    foreign = [{"origin": "http://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:9999"},
               {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}]  # fmt: skip
    for headers in foreign:
        assert client.post("/api/predict", headers=headers).status_code == 403
    assert client.post("/api/predict", headers={"origin": LOCAL}).status_code == 415
    preflight = client.options("/api/predict", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in preflight.headers


def test_a_request_too_large_ends_by_its_announced_length(client):
    response = client.post("/api/predict", content=b"x", headers={"content-length": "9999999999"})
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/api/predict", "/api/cohort"])
def test_a_request_too_large_ends_while_it_is_read(client, service, path):
    sent = []

    def body():
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="Doe.nii.gz"\r\n\r\n'
        for _ in range(400):
            sent.append(1)
            yield bytes(100_000)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = client.post(path, content=body(), headers=headers)
    assert response.status_code == 413
    assert "too large" in faults(response)[0]
    assert left(service) == []


def left(service):
    """What of requests is still on the desk."""
    return [p for p in service.desk.folder.rglob("*") if p.is_file() and p.name != "lock"]


@pytest.mark.parametrize(
    ("fields", "files", "status", "says"),
    [
        ({}, {}, 422, "no file"),
        ({"bundle": "other"}, {"image": b"x"}, 422, "no bundle of that name"),
        ({"Doe": "1"}, {"image": b"x"}, 422, "unknown field"),
        ({"output": "everything"}, {"image": b"x"}, 422, "unknown output"),
        ({}, {"image_../../Doe": b"x"}, 422, "unknown field"),
        ({}, {"Doe": b"x"}, 422, "unknown field"),
        ({}, {"image": b"", "mask": b"MZ"}, 415, "an empty file"),
        ({}, {"archive": b"PK\x03\x04" + bytes(100)}, 415, "unknown kind"),
    ],
)
def test_a_form_that_asks_nothing_is_told_why(client, service, fields, files, status, says):
    uploads = {name: ("Doe.bin", io.BytesIO(content)) for name, content in files.items()}
    response = client.post("/api/predict", data=fields or {"bundle": "toy"}, files=uploads or {"image": ("", b"")})
    assert response.status_code == status, response.text
    assert says in " ".join(faults(response))
    assert "Doe" not in response.text
    assert left(service) == []


def test_bodies_that_are_no_form_are_refused(client):
    assert client.post("/api/predict", json={"image": "x"}).status_code == 415
    assert client.post("/api/predict", data={"image": "x" * 100_000}).status_code == 415
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for body in (b"", b"x", b"--b\r\n", b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx'):
        assert client.post("/api/predict", content=body, headers=headers).status_code in (413, 422)
    assert client.post("/api/predict", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 422


def test_too_many_files_and_endless_words_are_refused(client):
    many = [(f"f{n}", ("a.png", b"x")) for n in range(9)]
    assert client.post("/api/predict", files=many).status_code == 413
    twice = [("image", ("a.png", b"x")), ("image", ("b.png", b"x"))]
    assert "two files in one field" in faults(client.post("/api/predict", files=twice))[0]
    long = {"clinical_age": "1" * 100_000}
    assert client.post("/api/predict", data=long, files={"image": ("a.png", b"x")}).status_code in (413, 422)


def test_a_full_server_says_so_before_it_reads(client, service, monkeypatch):
    monkeypatch.setattr(type(service.worker), "full", property(lambda _: True))
    response = client.post("/api/predict", files={"image": ("a.png", b"x")})
    assert response.status_code == 503
    assert "try again" in faults(response)[0]
    assert response.headers["retry-after"] == "30"


def test_a_failure_inside_is_told_by_its_place_alone(client, service, monkeypatch, capfd):
    def failing(*_args, **_more):
        raise KeyError("Ms Doe")

    monkeypatch.setattr(service, "ask_uploads", failing)
    response = client.post("/api/predict", files={"image": ("a.png", b"x")})
    assert response.status_code == 500
    assert "KeyError" in faults(response)[0]
    told = capfd.readouterr()
    assert "Doe" not in response.text + told.out + told.err


def test_nothing_is_served_without_the_password(locked):
    paths = every_path(locked.app)
    assert {"/api/predict", "/openapi.json", "/docs", "/viewer/x", "/answers/x/x", "/"} <= set(paths)
    for path in paths:
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            assert locked.request(method, path).status_code == 401, path
    assert locked.get("/api/health", headers=basic("radiology", PASSWORD)).status_code == 200


@pytest.fixture
def strict(service):
    """A lock of its own, that tells a wrong password at once."""

    async def inside(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return TestClient(Login(inside, User("radiology", PASSWORD), delay_s=0.0), base_url=LOCAL)


@pytest.mark.parametrize(
    "headers",
    [basic("radiology", "wrong"), basic("other", PASSWORD), basic("radiology", ""), {"authorization": "Basic %%%"},
     {"authorization": "Basic"}, {"authorization": f"Bearer {PASSWORD}"}, basic("radiology", PASSWORD + "x")],
)  # fmt: skip
def test_a_wrong_password_is_refused(strict, headers):
    response = strict.get("/", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic")


def test_guessing_is_stopped_even_when_it_hits(strict):
    for _ in range(FAILURES):
        assert strict.get("/", headers=basic("radiology", "guess")).status_code == 401
    assert strict.get("/", headers=basic("radiology", PASSWORD)).status_code == 429


def test_a_right_password_forgets_earlier_slips(strict):
    for _ in range(FAILURES - 1):
        strict.get("/", headers=basic("radiology", "slip"))
    assert strict.get("/", headers=basic("radiology", PASSWORD)).status_code == 200
    assert strict.get("/", headers=basic("radiology", "slip")).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "radiology.example"])
def test_another_address_needs_a_login(host, capsys):
    with pytest.raises(ServeError, match="no login"):
        checked(Place(host=host), None)
    checked(Place(host=host), "radiology")
    assert "in the clear" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.1.2.3", True), ("0.0.0.0", False), ("::", False),
     ("example", False)],
)  # fmt: skip
def test_this_computer_s_own_addresses_are_known(host, local):
    assert Place(host=host).is_local == local


def test_half_a_certificate_and_a_missing_one_are_told(tmp_path):
    with pytest.raises(ServeError, match=r"certificate without key[\s\S]*no such file"):
        checked(Place(certificate=tmp_path / "none.pem"), None)


def test_a_port_in_use_is_told():
    with listening(Place(port=0)) as taken, pytest.raises(ServeError, match="in use"):
        listening(Place(port=taken.getsockname()[1]))
