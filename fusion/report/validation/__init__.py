"""Internal validation in words and figures: optimism, learning curve, permutation test, sample size."""
