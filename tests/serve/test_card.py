"""The card says who may use a bundle for what, how well it does, and what speaks against it."""

import dataclasses

import pandas as pd
import pytest

from fusion.flow.folder import stored_run
from fusion.report.page import read as read_results
from fusion.serve import bundle as bundles
from fusion.serve.card import as_text
from fusion.serve.card_of_run import card, headline
from fusion.serve.parts import Card, Deployed


@pytest.fixture(scope="module")
def ct(ct_run):
    own = bundles.read(ct_run)
    return own, read_results(ct_run, stored_run(ct_run))


@pytest.fixture(scope="module")
def mri(mri_run):
    own = bundles.read(mri_run)
    return own, read_results(mri_run, stored_run(mri_run))


def test_the_readable_card_is_the_card(ct, mri):
    for own, _ in (ct, mri):
        text = own.bytes("card.md").decode()
        assert text == as_text(own.card)
        assert "**Research use only.**" in text
        for line in (*own.card.data, *own.card.limits):
            assert f"- {line}\n" in text
        for row in own.card.metrics:
            assert f"| {row.model} | {row.set} |" in text


def test_every_number_of_metrics_csv_is_on_it(ct, mri):
    for own, results in (ct, mri):
        table = pd.read_csv(results.folder / "metrics.csv")
        assert [(row.model, row.set) for row in own.card.metrics] == list(
            zip(table["model"], table["set"], strict=True)
        )
        for row, (_, wanted) in zip(own.card.metrics, table.iterrows(), strict=True):
            for name, value in row.values.items():
                assert value == wanted[name] if value is not None else pd.isna(wanted[name])
            assert {"n", "auc", "auc_low", "auc_high"} <= set(row.values)


def test_it_counts_cases_patients_and_classes(ct, mri):
    cohort = ct[1].cohort
    train, test = (cohort[cohort["set"] == name] for name in ("train", "test"))
    assert f"{len(cohort)} cases of {cohort['patient'].nunique()} patients." in ct[0].card.data
    counts = f"{(train['event'] == 0).sum()} benign, {(train['event'] == 1).sum()} malignant"
    assert f"Training set: {len(train)} cases ({counts})." in ct[0].card.data
    assert any(line.startswith(f"Test set: {len(test)} cases (") for line in ct[0].card.data)
    assert any(
        line.startswith("Training set, histology: 21 cases (7 cyst, 7 polyp, 7 sarcoma)") for line in mri[0].card.data
    )


def test_its_limits_are_those_of_the_run(ct):
    own, results = ct
    limits = "\n".join(own.card.limits)
    for words in ("external set", "Few cases: 8", "random weights", "One scanner at most"):
        assert words in limits
    cohort = results.cohort.assign(scanner=["a", "b"] * 12)
    cohort.loc[cohort["set"] == "test", "set"] = "external"
    other = dataclasses.replace(results, cohort=cohort)
    limits = "\n".join(card(other, own.deployed).limits)
    assert "Never tried" not in limits
    assert "One scanner" not in limits
    assert "2 scanners." in card(other, own.deployed).data


def test_a_shuffled_or_synthetic_cohort_is_told(ct):
    from fusion.config.cohort import Phantom

    own, results = ct
    told = results.run.cohort.model_copy(update={"shuffle_outcome": True, "phantom": Phantom()})
    other = dataclasses.replace(results, run=results.run.model_copy(update={"cohort": told}))
    limits = "\n".join(card(other, own.deployed).limits)
    assert "synthetic" in limits
    assert "shuffled on purpose" in limits


def test_the_headline_is_the_first_questions_fullest_model(ct, mri):
    assert ct[0].card.headline == "Combined"
    assert mri[0].card.headline == "benign-malignant/Combined"
    judgements = {name: own for name, own in ct[0].deployed.judgements.items() if name != "Combined"}
    less = Deployed.model_validate(
        {**ct[0].deployed.model_dump(), "judgements": {k: v.model_dump() for k, v in judgements.items()}}
    )
    assert headline(less) == "Tumor+External2_RAD+DL"
    alone = less.model_copy(update={"judgements": {"Clinical": judgements["Clinical"]}})
    assert headline(alone) == "Clinical"


def test_research_use_only_cannot_be_left_out(ct):
    with pytest.raises(ValueError, match="research use only"):
        Card.model_validate({**ct[0].card.model_dump(), "research_only": "clinical use"})
