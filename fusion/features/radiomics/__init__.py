"""The 1874 radiomics features of a region."""
