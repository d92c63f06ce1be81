"""Cases of attention, and of layers that multiply and sum over axes of one's choice."""

from typing import Any

from tests.golden.case import case, gaps, graph_case

QUERY, VALUE = (4, 6), (5, 6)


def _one_head(
    name: str, kind: str, keys: int = 2, only: int | None = None, masked: bool = False, **options: Any
) -> None:
    call = {key: options.pop(key) for key in ("use_causal_mask", "return_attention_scores") if key in options}

    def build(keras: Any) -> Any:
        inputs = [keras.Input(shape) for shape in (QUERY, VALUE, VALUE)[:keys]]
        given = [keras.layers.Masking()(x) for x in inputs] if masked else inputs
        y = getattr(keras.layers, kind)(**options)(given, **call)
        return keras.Model(inputs, list(y) if call.get("return_attention_scores") else y)

    graph_case(name, only, gaps)(build)


for _kind, _name in (("Attention", "attention"), ("AdditiveAttention", "additive_attention")):
    _one_head(f"{_name}_default", _kind)
    _one_head(f"{_name}_key", _kind, keys=3)
    _one_head(f"{_name}_scale", _kind, use_scale=_kind == "Attention")
    _one_head(f"{_name}_causal", _kind, use_causal_mask=True)
    _one_head(f"{_name}_scores", _kind, return_attention_scores=True)
    _one_head(f"{_name}_masked", _kind, masked=True, use_causal_mask=True)
_one_head("attention_concat", "Attention", score_mode="concat")
_one_head("attention_concat_scale", "Attention", score_mode="concat", use_scale=True, only=3)


def _many_heads(name: str, *shapes: tuple[int, ...], only: int | None = None, **options: Any) -> None:
    names = ("use_causal_mask", "return_attention_scores", "attention_mask")
    call = {key: options.pop(key) for key in names if key in options}
    kind, masked = options.pop("kind", "MultiHeadAttention"), options.pop("masked", False)

    def build(keras: Any) -> Any:
        inputs = [keras.Input(shape) for shape in shapes]
        extra = dict(call)
        given = [keras.layers.Masking()(x) for x in inputs] if masked else list(inputs)
        if "attention_mask" in extra:
            extra["attention_mask"] = given.pop()
        query, value = given[0], given[1] if len(given) > 1 else given[0]
        y = getattr(keras.layers, kind)(**options)(query, value, **({"key": given[2]} if given[2:] else {}), **extra)
        return keras.Model(inputs, list(y) if extra.get("return_attention_scores") else y)

    graph_case(name, only, gaps)(build)


_HEADS = {"num_heads": 2, "key_dim": 3}
_many_heads("multi_head_attention_self", QUERY, **_HEADS)
_many_heads("multi_head_attention_cross", QUERY, (5, 4), **_HEADS)
_many_heads("multi_head_attention_key", QUERY, (5, 4), (5, 3), value_dim=5, **_HEADS)
_many_heads("multi_head_attention_no_bias", QUERY, use_bias=False, only=3, **_HEADS)
_many_heads("multi_head_attention_output_shape", QUERY, output_shape=7, **_HEADS)
_many_heads("multi_head_attention_output_axes", QUERY, output_shape=(2, 3), only=3, **_HEADS)
_many_heads("multi_head_attention_causal", QUERY, use_causal_mask=True, **_HEADS)
_many_heads("multi_head_attention_scores", QUERY, return_attention_scores=True, use_causal_mask=True, **_HEADS)
_many_heads("multi_head_attention_mask", QUERY, VALUE, (4, 5), attention_mask=True, only=3, **_HEADS)
_many_heads("multi_head_attention_masked", QUERY, VALUE, masked=True, use_causal_mask=True, **_HEADS)
_many_heads("multi_head_attention_axes", (2, 4, 6), (2, 5, 6), attention_axes=(2,), **_HEADS)
_many_heads("multi_head_attention_two_axes", (2, 4, 6), (3, 5, 6), return_attention_scores=True, **_HEADS)
_many_heads("multi_head_attention_window", QUERY, sliding_window=2, use_causal_mask=True, only=3, **_HEADS)
_many_heads("multi_head_attention_gate", QUERY, use_gate=True, only=3, **_HEADS)
_GROUPS = {"kind": "GroupQueryAttention", "head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "only": 3}
_many_heads("grouped_query_attention_self", QUERY, **_GROUPS)
_many_heads("grouped_query_attention_cross", QUERY, VALUE, use_bias=False, **_GROUPS)
_many_heads("grouped_query_attention_causal", QUERY, use_causal_mask=True, return_attention_scores=True, **_GROUPS)
_many_heads("grouped_query_attention_gate", QUERY, use_gate=True, sliding_window=2, **_GROUPS)

for _equation, _shape, _result, _bias in (
    ("abc,cd->abd", (4, 6), (None, 5), "d"),
    ("abc,cde->abde", (4, 6), (None, 2, 5), "de"),
    ("abc,cde->abde", (4, 6), (None, 2, 5), "d"),
    ("abcd,cde->abe", (4, 2, 3), (None, 5), "e"),
    ("abc,bd->adc", (4, 6), (5, 6), "d"),
    ("abc,bd->adc", (4, 6), (5, 6), "dc"),
    ("...x,xy->...y", (4, 3, 6), 5, "y"),
    ("ax...,xy->ay...", (4, 3, 6), 5, "y"),
    ("abc,dc->abd", (4, 6), (None, 5), None),
):
    _name = _equation.replace("...", "_any_").replace(",", "_").replace("->", "_to_").replace("__", "_").strip("_")
    case(
        f"einsum_dense_{_name}_{_bias or 'no_bias'}",
        _shape,
        lambda nn, e=_equation, o=_result, b=_bias: nn.EinsumDense(e, output_shape=o, bias_axes=b, activation="relu"),
        only=3 if "..." in _equation else None,
    )


def _dot(name: str, *shapes: tuple[int, ...], only: int | None = None, **options: Any) -> None:
    def build(keras: Any) -> Any:
        inputs = [keras.Input(shape) for shape in shapes]
        return keras.Model(inputs, keras.layers.Dot(**options)(inputs))

    graph_case(name, only)(build)


_dot("dot_vectors", (6,), (6,), axes=1)
_dot("dot_cosine", (6,), (6,), axes=-1, normalize=True)
_dot("dot_matrices", (4, 6), (5, 6), axes=2)
_dot("dot_axes", (4, 6), (6, 5), axes=(2, 1))
_dot("dot_axes_cosine", (6, 4), (6, 5), axes=(1, 1), normalize=True)
_dot("dot_matrix_vector", (4, 6), (6,), axes=(2, 1))
_dot("dot_images", (3, 4, 6), (6, 5), axes=(3, 1), only=3)

case("einsum_dense_each_place", (5, 4), lambda nn: nn.EinsumDense("abc,bcd->abd", (5, 3), bias_axes="bd"), only=3)
case("einsum_dense_each_place_turned", (5, 4, 2), lambda nn: nn.EinsumDense("abcd,cde->aebc", (3, 5, 4)))
