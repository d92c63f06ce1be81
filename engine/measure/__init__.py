"""What a model costs on this machine: profiles, traces, comparisons, tuning. No part of predicting."""
