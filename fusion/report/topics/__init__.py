"""The report, topic by topic; the order of ``TOPICS`` is the order of the page."""
