"""Twin-branch networks: from patches to out-of-fold scores and deep features."""
