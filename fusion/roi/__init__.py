"""From a checked case to the regions and patches that features are measured on."""
