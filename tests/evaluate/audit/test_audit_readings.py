"""Averages that scikit-learn prints under the names of the positive class's metrics."""

import numpy as np
import pytest
from sklearn.metrics import classification_report

from fusion.evaluate.audit import as_text, asked, audit
from fusion.evaluate.audit.printed import number
from fusion.evaluate.audit.readings import readings
from fusion.evaluate.audit.rows import judge
from fusion.evaluate.audit.table import Row

TRUTH = np.repeat([1, 0], [20, 80])
CALLED = np.repeat([1, 0, 1, 0], [12, 8, 12, 68])
MEANS = {"macro avg": "sensitivity, PPV and F1 as means of both classes",
         "weighted avg": "sensitivity, PPV and F1 weighted by class"}  # fmt: skip


def printed(kind):
    own = classification_report(TRUTH, CALLED, output_dict=True)
    shares = {"accuracy": own["accuracy"], "sensitivity": own[kind]["recall"], "ppv": own[kind]["precision"],
              "f1": own[kind]["f1-score"]}  # fmt: skip
    return {name: number(f"{share:.3f}") for name, share in shares.items()}


@pytest.mark.parametrize("kind", MEANS)
def test_scikit_learns_averages_are_impossible_as_the_positive_classs_and_told_as_averages(kind):
    judged = judge(Row("A", printed(kind), {}, positive=20, negative=80))
    assert judged.possible is False
    assert MEANS[kind] in judged.readings


def test_f1_of_rounded_values_is_told():
    """20 of 27 and 20 of 39 have an F1 of .606; .74 and .51 have .604."""
    metrics = {"sensitivity": number(".74"), "ppv": number(".51"), "f1": number(".604")}
    judged = judge(Row("A", metrics, {}, positive=27, negative=81))
    assert judged.possible is False
    assert judged.readings == ("F1 computed from the rounded PPV and sensitivity",)


def test_a_row_of_no_definition_has_none():
    metrics = {"accuracy": number(".10"), "sensitivity": number(".95"), "ppv": number(".99"), "f1": number(".20")}
    assert readings(metrics, 27, 81) == []


def test_exchanged_classes_are_told(tmp_path):
    (tmp_path / "table.csv").write_text("model,accuracy,sensitivity,specificity\nA,.824,.852,.741\nB,.685,.605,.926\n")
    found = audit(asked(str(tmp_path / "table.csv"), {"positive": 27, "negative": 81}))
    assert found.exchanged
    assert "was the positive class the other one?" in as_text(found)
    assert not audit(asked(str(tmp_path / "table.csv"), {"positive": 81, "negative": 27})).exchanged
