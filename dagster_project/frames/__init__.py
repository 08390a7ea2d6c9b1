"""API records → typed Polars frames; pure, no I/O."""
