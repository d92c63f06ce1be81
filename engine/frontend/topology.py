"""From a model's description to layers and the calls that connect them, in an order in which they can run."""

from collections.abc import Mapping
from typing import Any

from engine.errors import LimitExceededError, ModelFileError, UnsupportedLayerError
from engine.frontend.dialects import Dialect
from engine.frontend.functional import connect
from engine.frontend.keras1 import joined_branches
from engine.frontend.spec import INPUT, MODELS, Arguments, CallSpec, LayerSpec, ModelSpec, Ref

MAX_LAYERS = 100_000
MAX_DEPTH = 64


def parse_model(description: Mapping[str, Any], dialect: Dialect, depth: int = 0) -> ModelSpec:
    """The model that `{"class_name": ..., "config": ...}` describes. Raises `ModelFileError` where it is unsound."""
    if depth > MAX_DEPTH:
        raise ModelFileError(f"its models are nested more than {MAX_DEPTH} deep")
    config = description.get("config")
    class_name = model_class(description, dialect)
    if class_name is None and depth == 0 and isinstance(config, dict) and config.get("layers"):
        class_name = "Sequential"
    if class_name is None:
        found = str(description.get("class_name"))[:80]
        raise UnsupportedLayerError(f"its model is of class {found!r}, which does not say of what layers it is made")
    if class_name == "Sequential" and isinstance(config, list):
        branches = joined_branches(config)
        class_name, config = ("Sequential", {"layers": config}) if branches is None else ("Functional", branches)
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list) or not config["layers"]:
        raise ModelFileError(f"its {class_name} model has no list of layers")
    if len(config["layers"]) > MAX_LAYERS:
        raise LimitExceededError(f"it has {len(config['layers'])} layers; at most {MAX_LAYERS} are accepted")
    layers = [parse_layer(layer, dialect, i, depth) for i, layer in enumerate(config["layers"])]
    if len({layer.name for layer in layers}) < len(layers):
        raise ModelFileError("two of its layers have the same name")
    return _sequential(config, layers) if class_name == "Sequential" else _functional(config, layers, dialect)


def model_class(description: Mapping[str, Any], dialect: Dialect) -> str | None:
    """`Sequential` or `Functional` for a model, also one of the user's own class that describes itself as they do."""
    class_name, config = str(description.get("class_name")), description.get("config")
    class_name = dialect.classes.get(class_name, class_name)
    if class_name in MODELS:
        return class_name
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return None
    if config.keys() >= {"input_layers", "output_layers"}:
        return "Functional"
    return "Sequential" if "build_input_shape" in config else None


def parse_layer(data: Any, dialect: Dialect, index: int = 0, depth: int = 0) -> LayerSpec:
    """One layer, which may be a model. `index` is its place, for layers without a name."""
    if not isinstance(data, dict) or not isinstance(data.get("class_name"), str):
        raise ModelFileError(f"the description of a layer is not understood: {repr(data)[:80]}")
    config = data.get("config")
    values = config if isinstance(config, dict) else {}
    name = data.get("name") or values.get("name") or f"{data['class_name'].lower()}_{index}"
    if not isinstance(name, str):
        raise ModelFileError(f"the name of a layer must be text, found {repr(name)[:80]}")
    trainable = values.get("trainable", True) is not False
    saved_as = data["class_name"].rpartition(">")[2]
    kind = model_class(data, dialect)
    if kind is not None:
        model = parse_model(data, dialect, depth + 1)
        return LayerSpec(name, kind, {}, trainable, model, dialect.classes.get(saved_as, saved_as))
    class_name, translated = dialect.translate(data["class_name"], values)
    if not isinstance(config, dict):
        raise ModelFileError(f"layer {name!r} ({class_name}) has no configuration")
    return LayerSpec(name, class_name, translated, trainable, saved_as=saved_as)


def _sequential(config: Mapping[str, Any], layers: list[LayerSpec]) -> ModelSpec:
    if layers[0].class_name != INPUT:
        layers = [_implied_input(config, layers[0]), *layers]
    refs = [Ref(layer.name, 0, 0) for layer in layers]
    calls = [CallSpec(layer.name, 0, Arguments((ref,), {})) for layer, ref in zip(layers[1:], refs, strict=False)]
    return ModelSpec(
        name=str(config.get("name") or "sequential"),
        class_name="Sequential",
        trainable=config.get("trainable", True) is not False,
        layers=tuple(layers),
        inputs=(layers[0].name,),
        outputs=(refs[-1],),
        calls=tuple(calls),
    )


def _implied_input(config: Mapping[str, Any], first: LayerSpec) -> LayerSpec:
    shape = first.config.get("batch_shape") or config.get("build_input_shape")
    if shape is None and first.model is not None:
        shape = next(layer.config.get("batch_shape") for layer in first.model.layers if layer.class_name == INPUT)
    return LayerSpec(f"{first.name}_input", INPUT, {"batch_shape": shape}, True)


def _functional(config: Mapping[str, Any], layers: list[LayerSpec], dialect: Dialect) -> ModelSpec:
    inputs, outputs, calls = connect(config, layers, dialect)
    described = config["output_layers"]
    by_key = isinstance(described, dict) and len(described) == len(outputs)
    return ModelSpec(
        name=str(config.get("name") or "model"),
        class_name="Functional",
        trainable=config.get("trainable", True) is not False,
        layers=tuple(layers),
        inputs=inputs,
        outputs=outputs,
        calls=calls,
        output_keys=tuple(sorted(described)) if by_key else None,
    )
