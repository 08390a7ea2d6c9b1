"""MaintainX analytics: extract, log, model, reconcile, publish."""
