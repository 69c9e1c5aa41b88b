"""From an image and its regions to the crops that filters and feature classes read."""
