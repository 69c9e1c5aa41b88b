"""Uploads to answers, through the API and a worker of its own."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from fusion.data.image import read_image, read_labels
from tests.data import dicom_made

CASE = "c1"
CLINICAL = {"clinical_margin": "clear", "clinical_age": "60"}


@pytest.fixture(scope="module")
def uploads(ct_run):
    """Files of a case, under names that nobody is to see again."""
    folder = ct_run.parent
    return {role: (f"Doe_{role}.nii.gz", (folder / f"{CASE}_{column}.nii.gz").read_bytes())
            for role, column in (("image", "ct"), ("mask", "tumour"))}  # fmt: skip


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as own:
        for name, data in files.items():
            own.writestr(name, data)
    return content.getvalue()


def told(response):
    assert response.status_code == 200, response.text
    assert "Doe" not in response.text
    return response.json()


def asked(client, files, bundle="toy_ct", path="/api/predict", **fields):
    return client.post(path, data={"bundle": bundle, "explain": "false", **fields}, files=files)


@pytest.fixture(scope="module")
def answer(client, uploads):
    return told(asked(client, uploads, **CLINICAL))


def test_the_answer_is_that_of_the_run(answer, client, uploads, ct_run):
    rows = pd.read_csv(ct_run / "predictions.csv")
    test = rows[rows["set"] == "test"]
    case = test["case"].iloc[0]
    row = pd.read_csv(ct_run.parent / "table.csv", dtype=str).set_index("case").loc[case]
    files = {role: ("x.nii.gz", (ct_run.parent / row[column]).read_bytes())
             for role, column in (("image", "ct"), ("mask", "tumour"))}  # fmt: skip
    own = told(asked(client, files, clinical_margin=row["margin"], clinical_age=row["age"]))
    got = {model["model"]: model["probability"] for model in own["answers"]}
    assert got == pytest.approx(test[test["case"] == case].set_index("model")["probability"].to_dict(), abs=1e-6)


def test_nothing_is_left_of_a_request(answer, service):
    left = [path for path in service.desk.folder.iterdir() if path.name not in ("lock", "answers", "worker")]
    assert left == []
    temporary = [path for path in (service.desk.folder / "worker").rglob("*") if path.is_file()]
    assert temporary == [], "onnxruntime leaves a file where it reports to its makers"


def test_an_answer_s_files_are_there_under_its_secret_alone(client, uploads):
    own = told(client.post("/api/predict", data={"bundle": "toy_ct", "output": "viewer", **CLINICAL}, files=uploads))
    assert {"answer.json", "overlay.png", "external2.nii.gz", "view_image.nii.gz"} <= set(own["files"])
    assert client.get(own["files"]["overlay.png"]).content.startswith(b"\x89PNG")
    secret = own["files"]["overlay.png"].split("/")[2]
    assert len(secret) >= 32
    for wrong in (f"/answers/{secret}x/overlay.png", f"/answers/{secret}/lock", f"/answers/{secret}/..%2Flock"):
        assert client.get(wrong).status_code == 404


def test_a_zip_answers_as_its_files_do(client, uploads, answer):
    files = {"Doe/ct.nii.gz": uploads["image"][1], "Doe/Doe_tumour.nii.gz": uploads["mask"][1]}
    archive = {"archive": ("Doe.zip", zipped(files))}
    assert told(asked(client, archive, **CLINICAL))["answers"] == answer["answers"]


def test_a_dicom_series_with_its_mask_answers_as_its_volume_does(client, uploads, answer, ct_run, tmp_path):
    image = read_image(ct_run.parent / f"{CASE}_ct.nii.gz")
    place = {"origin": image.geometry.origin_mm, "spacing": image.geometry.spacing_mm}
    folder = dicom_made.series(tmp_path / "series", image.values.astype("int16"), **place)
    mask = read_labels(ct_run.parent / f"{CASE}_tumour.nii.gz").values
    dicom_made.segmentation(folder / "mask.dcm", {"tumour": mask}, **place)
    files = {f"{dicom_made.NAME}/{path.name}": path.read_bytes() for path in folder.iterdir()}
    whole = told(asked(client, {"archive": ("x.zip", zipped(files))}, **CLINICAL))
    alone = {name: content for name, content in files.items() if not name.endswith(".dcm")}
    apart = told(asked(client, {"image": ("x.zip", zipped(alone)), "mask": uploads["mask"]}, **CLINICAL))
    expected = {own["model"]: own["probability"] for own in answer["answers"]}
    for own in (whole, apart):
        assert {one["model"]: one["probability"] for one in own["answers"]} == pytest.approx(expected, abs=1e-6)
        assert dicom_made.NAME not in str(own)


def mri_case(mri_run):
    table = pd.read_csv(mri_run.parent / "own.csv", dtype=str)
    return mri_run.parent, table.iloc[1]


def test_slices_are_answered_by_sequence(client, mri_run):
    folder, row = mri_case(mri_run)
    columns = {"image_T2-w": "t2w", "mask_T2-w": "t2w_mask", "image_ADC": "adc", "mask_ADC": "adc_mask"}
    files = {field: ("Doe.png", (folder / row[column]).read_bytes()) for field, column in columns.items()}
    own = told(asked(client, files, "toy_mri", clinical_age="60"))
    assert {one["model"].partition("/")[0] for one in own["answers"]} == {"benign-malignant", "histology"}
    single = {field: files[field] for field in ("image_ADC", "mask_ADC")}
    response = asked(client, single, "toy_mri", model="benign-malignant/ADC")
    assert told(response)["model"] == "benign-malignant/ADC"


def cohort_zip(folder: Path, table: pd.DataFrame, columns, name="Doe/table.csv"):
    names = [own for column in columns for own in table[column] if own and not own.startswith("..")]
    files = {f"Doe/{own}": (folder / own).read_bytes() for own in names if (folder / own).is_file()}
    return {"archive": ("Doe.zip", zipped(files | {name: table.to_csv(index=False)}))}


def test_a_table_is_answered_row_by_row_and_faults_name_rows(client, ct_run):
    folder = ct_run.parent
    table = pd.read_csv(folder / "table.csv", dtype=str).head(4)
    table["case"] = table["patient"] = [f"Doe {n}" for n in range(4)]
    table.loc[1, "ct"], table.loc[2, "ct"] = "../../secret.nii.gz", "none.nii.gz"
    response = asked(client, cohort_zip(folder, table, ("ct", "tumour")), path="/api/cohort")
    own = told(response)
    assert own["rows"] == 4
    assert set(own["answers"]) == {"row1", "row4"}
    assert {fault["case"] for fault in own["faults"]} == {"row2", "row3"}
    predictions = pd.read_csv(io.StringIO(client.get(own["files"]["predictions.csv"]).text))
    assert set(predictions["case"]) == {"Doe 0", "Doe 3"}, "the one file for who asked"
    assert predictions.columns[0] == "row"
    with zipfile.ZipFile(io.BytesIO(client.get(own["files"]["answers.zip"]).content)) as answers:
        assert {name.partition("/")[0] for name in answers.namelist()} == {"row1", "row4"}
        assert not any("Doe" in name for name in answers.namelist())


def test_a_table_of_slices_is_answered(client, mri_run):
    folder, _ = mri_case(mri_run)
    table = pd.read_csv(folder / "own.csv", dtype=str, keep_default_na=False).head(2)
    files = cohort_zip(folder, table, ("t2w", "t2w_mask", "adc", "adc_mask"), "own.csv")
    own = told(asked(client, files, "toy_mri", path="/api/cohort"))
    assert own["rows"] == 2


def test_twenty_at_once_are_all_answered_alike_in_bounded_memory(client, uploads, answer, service):
    before = peak_mb(service.worker.pid)
    with ThreadPoolExecutor(20) as threads:
        all_ = list(threads.map(lambda _: told(asked(client, uploads, **CLINICAL)), range(20)))
    assert all(own["answers"] == answer["answers"] for own in all_)
    assert peak_mb(service.worker.pid) - before < 200
    assert service.worker.waiting == 0


def peak_mb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
