"""Which contrast agent a header names: people type anything there, a patient's name too, so known names alone are told.

>>> told("OMNIPAQUE 350 60cc"), told("Mrs. Doe, 80 ml"), told("no contrast"), told("")
('iohexol', 'given', 'none', '')
"""

import re

AGENTS = {
    "iohexol": "iohexol|omnipaque|accupaque",
    "iodixanol": "iodixanol|visipaque",
    "iopamidol": "iopamidol|isovue|iopamiro|niopam|solutrast",
    "iopromide": "iopromide?|ultravist",
    "iomeprol": "iomeprol|iomeron|imeron",
    "ioversol": "ioversol|optiray",
    "iobitridol": "iobitridol|xenetix",
    "gadobutrol": "gadobutrol|gadovist|gadavist",
    "gadoterate": "gadoter(ate|ic)|dotarem|clariscan",
    "gadopentetate": "gadopentet(ate|ic)|magnevist",
    "gadobenate": "gadoben(ate|ic)|multihance",
    "gadoxetate": "gadoxet(ate|ic)|primovist|eovist",
    "gadoteridol": "gadoteridol|prohance",
    "gadodiamide": "gadodiamide|omniscan",
    "gadopiclenol": "gadopiclenol|elucirem|vueway",
}
"""By international name, what else it is called."""
NONE = r"\s*(no|none|non|not|without|w/o|wo|nil|native?|ohne|kein\w*|plain|unenhanced|0)\b.*"


def told(text: str) -> str:
    """The agent's international name; ``given`` for words of no known agent, ``none`` for those that deny one."""
    if not text.strip():
        return ""
    known = [name for name, names in AGENTS.items() if re.search(names, text, re.IGNORECASE)]
    if known:
        return " and ".join(known)
    return "none" if re.fullmatch(NONE, text, re.IGNORECASE | re.DOTALL) else "given"
