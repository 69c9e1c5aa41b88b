"""From features and scores to probabilities; everything is fitted inside the fold."""
