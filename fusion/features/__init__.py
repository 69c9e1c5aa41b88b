"""Feature tables: cases x named columns."""
