"""What a sweep says: its cells against each other, and what the cell chosen in the inner loop is worth."""
