"""Where a step runs in a cluster."""
