"""The nomogram as a drawing and as a calculator."""
