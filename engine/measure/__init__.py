"""What a model costs on this machine: profiles, traces, comparisons and tuning. Nothing here runs while a model predicts."""
