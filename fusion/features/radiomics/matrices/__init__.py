"""Texture matrices of a region, counted over rows of its voxels."""
