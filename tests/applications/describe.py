"""Write `engine/frontend/architectures.zip`: descriptions of all keras.applications models, for files of weights alone.

    python tests/applications/describe.py engine/frontend/architectures.zip   # with a Python that has Keras 3

The archive has a member for each name, JSON: the variants of that model, the usual one first. A variant has

- `label`, such as `alpha=0.5`;
- `whole`, the model with its top and 1000 classes, and `bare`, the one without its top: of each `model`, as Keras
  describes it, without what changes no number, and `weights`, the shapes of its weights that are no whole numbers;
- `step`, the number of pixels by which its images may be larger or smaller for the same layers; 1 for any size;
- `published`, true where this variant is only for EfficientNet's published weights: they need one more scaling.
"""

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.applications.families import FAMILIES

MOBILE = (1.0, 0.75, 0.5, 0.25)
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "MobileNet": [{"alpha": a} for a in MOBILE],
    "MobileNetV2": [{"alpha": a} for a in (1.0, 0.35, 0.5, 0.75, 1.3, 1.4)],
    **{
        f"MobileNetV3{size}": [{"alpha": a, "minimalistic": m} for m in (False, True) for a in (1.0, 0.75)]
        for size in ("Small", "Large")
    },
}
FLEXIBLE = ("VGG", "ResNet", "DenseNet", "Inception", "Xception", "ConvNeXt", "EfficientNetV2")
"""Beginnings of the names of models whose layers are the same for images of any size."""
STAMP = (1980, 1, 1, 0, 0, 0)
SILENT = ("build_config", "registered_name", "module", "dtype", "autocast", "arguments", "sparse", "ragged", "optional")


def useful(value: Any) -> Any:
    """A description without what changes no number."""
    if isinstance(value, list):
        return [useful(v) for v in value]
    if not isinstance(value, dict):
        return value
    ends = ("_initializer", "_regularizer", "_constraint")
    kept = {k: useful(v) for k, v in value.items() if k not in SILENT and not k.endswith(ends)}
    return {k: v for k, v in kept.items() if v is not None or k == "name"}


def described(model: Any) -> dict[str, Any]:
    """A model's description and the shapes of its weights."""
    config = useful(json.loads(model.to_json()))["config"]
    shapes = [list(w.shape) for layer in model.layers for w in layer.weights if "float" in str(w.dtype)]
    return {"model": {"class_name": "Functional", "config": config}, "weights": shapes}


def variant(keras: Any, name: str, options: dict[str, Any], published: bool) -> dict[str, Any]:
    """One description."""
    build, weights = getattr(keras.applications, name), "imagenet" if published else None
    keras.backend.clear_session()
    whole = build(weights=weights, **options)
    step = 1 if name.startswith(FLEXIBLE) else 32
    size = (None, None, 3) if step == 1 else whole.input_shape[1:]
    keras.backend.clear_session()
    bare = build(weights=weights, include_top=False, input_shape=size, **options)
    made = {
        "label": ", ".join(f"{key}={value}" for key, value in options.items()),
        "whole": described(whole),
        "bare": described(bare),
        "step": step,
    }
    return {**made, "published": True} if published else made


def main() -> None:
    """Write the archive that the command line names."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import keras

    zeros = keras.initializers.Zeros()
    keras.src.initializers.random_initializers.VarianceScaling.__call__ = lambda self, *a, **k: zeros(*a, **k)
    keras.Model.load_weights = lambda *args, **kwargs: None
    keras.src.utils.file_utils.get_file = lambda *args, **kwargs: ""
    with zipfile.ZipFile(sys.argv[1], "w") as archive:
        for name in sorted(FAMILIES):
            chosen = OPTIONS.get(name, [{}])
            variants = [variant(keras, name, options, False) for options in chosen]
            if name.startswith("EfficientNetB"):
                variants.append(variant(keras, name, {}, True))
            text = json.dumps({"keras_version": keras.__version__, "variants": variants}, separators=(",", ":"))
            archive.writestr(zipfile.ZipInfo(name, STAMP), text, zipfile.ZIP_LZMA)
            print(name, len(text), archive.getinfo(name).compress_size)


if __name__ == "__main__":
    main()
