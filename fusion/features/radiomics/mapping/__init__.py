"""Feature maps: a feature of the neighbourhood of every voxel."""
