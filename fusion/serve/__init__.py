"""From a run to a clinician: the bundle, the answer to one case, the page."""
