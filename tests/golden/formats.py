"""The formats that a few of the golden models are also saved in. Their numbers are those of the `.npz` of the model.

`make.py` writes them: `.keras` and `.weights.h5` with either package, weights in shards with Keras 3.
"""

KERAS = (
    "batch_normalization_channels_first",
    "bidirectional_backward_layer",
    "embedding_mask_zero",
    "functional_many_outputs",
    "functional_shared_layer",
    "gru_states",
    "models_of_own_classes",
    "multi_head_attention_cross",
    "nested_functional_called_twice",
    "nested_functional_frozen",
    "nested_sequential_in_functional",
    "nested_twice_deep",
    "normalization_learnt",
    "rnn_cells",
    "separable_conv2d_valid",
    "sequential_of_own_class",
    "time_distributed_model",
)
"""Saved as `.keras` by both packages."""

WEIGHTS = ("bidirectional_concat", "nested_twice_deep", "sequential_seed_cnn", "time_distributed_lstm")
"""Saved as `.weights.h5` by both packages."""

SHARDS = ("sequential_seed_cnn",)
"""Saved as `.weights.json` by Keras 3; larger than one shard."""
