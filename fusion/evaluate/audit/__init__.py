"""What a printed results table implies: which rows are possible, and what would mend those that are not."""

from fusion.evaluate.audit.shipped import asked
from fusion.evaluate.audit.told import as_json, as_text
from fusion.evaluate.audit.whole import Audit, Request, audit

__all__ = ["Audit", "Request", "as_json", "as_text", "asked", "audit"]
