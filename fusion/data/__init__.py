"""From files to checked arrays: images, cases, the cohort table, the split."""
