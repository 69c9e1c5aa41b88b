"""From predictions to numbers: discrimination, thresholds, calibration, decision curves, one table of metrics."""
