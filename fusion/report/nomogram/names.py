"""Plain names of predictors, and numbers as axes show them."""

KINDS = {"RAD": "radiomics score", "DL": "deep-learning score"}
REGIONS = {"tumour": "tumour", "external2": "External2"}
UNITS = {"mm": "mm", "cm": "cm", "hu": "HU", "ml": "ml", "years": "years"}


def plain(predictor: str) -> str:
    """A predictor as a reader knows it.

    >>> plain("tumour+external2_RAD"), plain("diameter_mm"), plain("margin")
    ('radiomics score, tumour + External2 (log-odds)', 'diameter (mm)', 'margin')
    """
    stem, _, end = predictor.rpartition("_")
    if end in KINDS and all(region in REGIONS for region in stem.split("+")):
        return f"{KINDS[end]}, {' + '.join(REGIONS[region] for region in stem.split('+'))} (log-odds)"
    if stem and end.lower() in UNITS:
        return f"{stem.replace('_', ' ')} ({UNITS[end.lower()]})"
    return predictor.replace("_", " ")


def shortest(value: float) -> str:
    """A number without needless digits, with a true minus.

    >>> shortest(-2.0), shortest(0.25)
    ('−2', '0.25')
    """
    return f"{value:.6g}".replace("-", "−")


def odds_word(probability: float) -> str:
    """A probability as the axis shows it.

    >>> odds_word(0.05), odds_word(0.5)
    ('0.05', '0.5')
    """
    return f"{probability:g}"
