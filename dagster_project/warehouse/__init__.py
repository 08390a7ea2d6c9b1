"""The only place that knows which database this is."""
