"""Feature classes: each file gives the names and the values of one of PyRadiomics' classes."""
