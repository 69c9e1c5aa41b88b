"""Spoiled uploads: each gets a message, none a traceback, a hang or a place outside the desk."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.serve import spoiled

SEED = 7
SAMPLE, ALL = 60, 400
CLINICAL = {"toy_ct": {"clinical_margin": "clear", "clinical_age": "60"}, "toy_mri": {"clinical_age": "60"}}
SECRETS = ("Traceback", "Mustermann", "root:", "site-packages")
"""What no answer holds: a traceback, the name in the DICOM files, the first line of a server's file, a path."""


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return spoiled.whole(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def requests(good):
    return list(spoiled.uploads(good, SEED, ALL))


def asked(client, own):
    data = {"bundle": own.bundle, "explain": "false", **(CLINICAL[own.bundle] if own.path == "/api/predict" else {})}
    if own.bundle == "toy_mri":
        data["model"] = "benign-malignant/T2-w"
    return client.post(own.path, data=data, files=own.files)


def wrong(own, client, service):
    """What is wrong with the answer to a spoiled upload; None where nothing is."""
    begun = time.monotonic()
    response = asked(client, own)
    seconds = time.monotonic() - begun
    if seconds > 30:
        return f"{seconds:.0f} s"
    if any(word in response.text for word in (*SECRETS, str(service.desk.folder))):
        return f"tells too much: {response.text[:300]}"
    if left := [path for path in service.desk.folder.iterdir() if path.name not in ("lock", "answers", "worker")]:
        return f"left {left}"
    places = (service.desk.folder.parent, service.desk.folder / "worker", Path("/tmp"), Path())
    if out := [path for place in places for path in place.glob("*evil*")]:
        return f"wrote {out}"
    return said(own, response)


def said(own, response):
    """What is wrong with what is told."""
    body = response.json()
    faults = body.get("faults")
    if response.status_code == 200:
        fine = not own.is_attack or (faults and not body["answers"])
        return None if fine else f"answered: {response.text[:200]}"
    fine = 400 <= response.status_code < 500 and faults and all(fault["found"] for fault in faults)
    return None if fine else f"{response.status_code}: {response.text[:300]}"


def refused(requests, *given):
    """Every request that was not refused as it should be, and why."""
    return {own.what: reason for own in requests if (reason := wrong(own, *given)) is not None}


def test_the_files_are_answered_before_they_are_spoiled(client, good):
    mask = ("m.nii.gz", good.mask[".nii.gz"])
    volumes = [{"image": (f"a{own}", good.volume[own]), "mask": (f"m{own}", good.mask[own])} for own in good.volume]
    series = {"image": ("a.zip", spoiled.zipped(good.series)), "mask": mask}
    whole = [spoiled.Spoiled("whole", files) for files in (*volumes, series)]
    for suffix, content in good.slice.items():
        files = {"image_T2-w": (f"a{suffix}", content), "mask_T2-w": ("m.png", good.slice_mask)}
        whole.append(spoiled.Spoiled(suffix, files, bundle="toy_mri"))
    assert {own.what: own_text(asked(client, own)) for own in whole} == {own.what: 200 for own in whole}


def own_text(response):
    return response.status_code if response.status_code == 200 else response.text


def test_a_sample_of_spoiled_uploads_is_refused(requests, client, service):
    sample = requests[:: len(requests) // SAMPLE][:SAMPLE]
    assert refused(sample, client, service) == {}


@pytest.mark.slow  # 400 requests, some of which end the worker, which is then started anew
def test_all_spoiled_uploads_are_refused(requests, client, service):
    assert len(requests) >= 300
    assert Counter(own.is_attack for own in requests)[True] >= 100
    assert refused(requests, client, service) == {}
