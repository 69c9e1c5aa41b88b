"""Filters of a region's crop, evaluated where the region is: one file each, and what they share."""
