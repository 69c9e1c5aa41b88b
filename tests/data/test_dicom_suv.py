"""PET as SUV by body weight: numbers worked out by hand, or refused for what is missing or contradicts itself."""

import numpy as np
import pytest
from scipy.integrate import quad

from fusion.data.image import read_image
from fusion.errors import CohortError
from tests.data import dicom_made as made

HALF_LIFE_S = 6586.2
HOUR_LATER = 70_000 / (370e6 * 2 ** (-3600 / HALF_LIFE_S))
"""SUV of 1 Bq/ml in 70 kg, one hour after 370 MBq of F-18."""


def pet(folder, philips=None, ge=None, one_file=None, **tags):
    """PET in Bq/ml, an hour after the injection; ``tags`` replace those of the header or of the injection, None drops
    one; ``one_file`` are those of the third file alone.
    """
    values = np.abs(made.voxels())

    def change(position, own):
        dose = made.item(RadionuclideTotalDose=370e6, RadionuclideHalfLife=HALF_LIFE_S,
                         RadiopharmaceuticalStartTime="110000.00",
                         RadionuclideCodeSequence=[made.item(CodeValue="C-111A1")])  # fmt: skip
        own.Units, own.DecayCorrection, own.CorrectedImage = "BQML", "START", ["DECY", "ATTN", "SCAT"]
        own.PatientWeight, own.SeriesDate, own.SeriesTime = 70, "20200101", "120000"
        own.AcquisitionDate, own.AcquisitionTime = "20200101", f"12{position:02d}00.0"
        own.RadiopharmaceuticalInformationSequence = [dose]
        for name, value in {**tags, **(one_file or {} if position == 2 else {})}.items():
            at = dose if name.startswith("Radi") else own
            setattr(at, name, value)
            if value is None:
                delattr(at, name)
        for element, value in (philips or {}).items():
            own.private_block(0x7053, "Philips PET Private Group", create=True).add_new(element, "DS", value)
        if ge:
            own.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", ge)

    return made.series(folder, values, "PT", change), values.astype(float)


def factor(folder, **changes) -> tuple[float, str]:
    path, values = pet(folder, **changes)
    own = read_image(path)
    ratio = own.values[values > 0] / values[values > 0]
    assert np.ptp(ratio) <= 1e-5 * ratio.mean()
    assert not any(secret in " ".join(own.notes) for secret in ("2020", "1200", "70 kg", made.NAME))
    return float(ratio.mean()), " ".join(own.notes)


@pytest.mark.parametrize(
    ("changes", "minutes", "told"),
    [
        ({}, 60, "60.0 minutes of decay from the injection to the scan's start, by the series' time"),
        ({"RadiopharmaceuticalStartDateTime": "20200101110000.0"}, 60, "series' time"),
        ({"RadiopharmaceuticalStartTime": None, "RadiopharmaceuticalStartDateTime": "20200101100000"}, 120, "series"),
        ({"RadiopharmaceuticalStartTime": "1130"}, 30, "30.0 minutes"),
        # over midnight, by a time without a date and with one
        ({"RadiopharmaceuticalStartTime": "233000", "SeriesTime": "001000", "AcquisitionTime": "001100"}, 40, "40.0"),
        ({"RadiopharmaceuticalStartTime": "235900", "RadiopharmaceuticalStartDateTime": "20191231235900",
          "SeriesTime": "002900", "AcquisitionTime": "003000"}, 30, "30.0"),
        # a series made after the scan: GE's own time, else the first acquisition
        ({"SeriesTime": "150000", "ge": "20200101120500.00"}, 65, "the scanner's own time of the scan"),
        ({"SeriesTime": "150000"}, 60, "the first acquisition"),
    ],
)  # fmt: skip
def test_activity_becomes_suv_by_the_time_since_injection(tmp_path, changes, minutes, told):
    value, note = factor(tmp_path, **changes)
    assert value == pytest.approx(70_000 / (370e6 * 2 ** (-minutes * 60 / HALF_LIFE_S)), rel=1e-5)
    assert told in note
    assert "PET in Bq/ml turned into SUV by body weight" in note


def test_the_hour_is_what_a_pocket_calculator_says(tmp_path):
    assert factor(tmp_path)[0] == pytest.approx(2.7634e-4, rel=1e-4)  # 70 kg / (370 MBq x 0.68462)


def test_decay_corrected_to_the_injection_needs_no_clock(tmp_path):
    value, note = factor(tmp_path, DecayCorrection="ADMIN", RadiopharmaceuticalStartTime=None, AcquisitionTime=None)
    assert value == pytest.approx(70_000 / 370e6, rel=1e-5)
    assert "decay is corrected to the injection" in note


def test_a_scan_s_start_by_its_frames_lies_where_decay_in_a_frame_has_its_mean(tmp_path):
    rate, long = np.log(2) / HALF_LIFE_S, 1200.0
    mean = quad(lambda t: np.exp(-rate * t), 0, long)[0] / long
    reference_ms = 1000 * (300 - np.log(mean) / rate)  # a frame from 300 s after the scan's start, at 12:05
    changes = {"SeriesTime": "150000", "AcquisitionTime": "120500", "ActualFrameDuration": str(int(long * 1000)),
               "FrameReferenceTime": f"{reference_ms:.1f}"}  # fmt: skip
    value, note = factor(tmp_path, **changes)
    assert value == pytest.approx(HOUR_LATER, rel=1e-6)
    assert "the time of its frames" in note


def test_counts_have_the_scanner_s_own_factors(tmp_path):
    value, note = factor(tmp_path / "a", Units="CNTS", philips={0x00: "0.0025", 0x09: "1.5"})
    assert value == pytest.approx(0.0025)
    assert "the scanner's own factor" in note
    value, note = factor(tmp_path / "b", Units="CNTS", philips={0x00: "0", 0x09: "1.5"})
    assert value == pytest.approx(1.5 * HOUR_LATER, rel=1e-5)
    assert "counts, by the scanner's factor in Bq/ml, turned into SUV" in note


def test_suv_by_body_weight_stays_as_it_is(tmp_path):
    for suv_type in (None, "BW"):
        assert factor(tmp_path / str(suv_type), Units="GML", SUVType=suv_type)[0] == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"PatientWeight": None}, "without the weight of the patient"),
        ({"PatientWeight": 0}, "without the weight of the patient"),
        ({"PatientWeight": 70_000}, "weight of the patient makes no sense"),
        ({"RadionuclideTotalDose": 0}, "without the injected dose"),
        ({"RadionuclideTotalDose": 370}, "injected dose makes no sense; expected 1e+06 to 2e+10 Bq"),
        ({"RadionuclideHalfLife": None}, "without the half-life"),
        ({"RadionuclideHalfLife": 109.77}, "fluorine-18 with a half-life of 109.77 s; expected 6586.2 s"),
        ({"RadionuclideHalfLife": 20.0}, "half-life makes no sense"),
        ({"DecayCorrection": "NONE"}, "decay is corrected to no known time"),
        ({"CorrectedImage": ["DECY"]}, "not corrected for attenuation"),
        ({"CorrectedImage": ["ATTN"]}, "does not say that it is corrected (DECY)"),
        ({"RadiopharmaceuticalStartTime": "130000"}, "without a date, later in the day than the scan"),
        ({"RadiopharmaceuticalStartTime": None}, "without the time of the injection"),
        ({"RadiopharmaceuticalStartTime": None, "RadiopharmaceuticalStartDateTime": "20200101130000"},
         "an injection -60 minutes before the scan"),
        ({"RadiopharmaceuticalStartDateTime": "20150101110000"}, "an injection 2629500 minutes before"),
        ({"RadiopharmaceuticalStartDateTime": "20200101090000"}, "two times of the injection that contradict"),
        ({"AcquisitionTime": None}, "without the date and time of acquisition"),
        ({"one_file": {"PatientWeight": 71}}, "PET of several weights in one series"),
        ({"one_file": {"Units": "GML"}}, "PET of several units in one series"),
        ({"one_file": {"RadiopharmaceuticalStartTime": "1015"}}, "PET of several injections in one series"),
        ({"Units": "CNTS"}, "PT in other units"),
        ({"Units": "GML", "SUVType": "LBM"}, "PT in other units"),
        ({"Units": "GML", "SUVType": "BSA"}, "PT in other units"),
        ({"Units": "GML", "CorrectedImage": ["DECY", "NORM"]}, "not corrected for attenuation"),
        ({"SeriesTime": "150000", "ActualFrameDuration": "60000", "FrameReferenceTime": "30000"},
         "frames contradict each other on when the scan began"),
    ],
)  # fmt: skip
def test_what_is_missing_or_contradicts_itself_is_refused(tmp_path, changes, reason):
    path, _ = pet(tmp_path, **changes)
    with pytest.raises(CohortError) as caught:
        read_image(path)
    assert reason in str(caught.value)
    assert not any(secret in str(caught.value).replace(str(tmp_path), "") for secret in ("2020", "2015", made.NAME))


def test_all_that_is_missing_is_told_at_once(tmp_path):
    path, _ = pet(tmp_path, PatientWeight=None, RadionuclideTotalDose=None, DecayCorrection="NONE")
    with pytest.raises(CohortError) as caught:
        read_image(path)
    assert len(caught.value.faults) == 3
