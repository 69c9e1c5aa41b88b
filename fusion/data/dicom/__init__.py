"""DICOM: series as volumes, structures and segments as masks, how images were acquired; right or refused by name."""
