"""Layers that change images at random in training, and what is left of them at inference."""

from engine.frontend.call import Call
from engine.frontend.registry import layer
from engine.ir.ops import Activate, Activation, Binary, Identity, Reduce, Select


@layer(
    "AugMix", "CutMix", "Equalization", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration",
    "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip",
    "RandomGaussianBlur", "RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert", "RandomPerspective",
    "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
    "RandomWidth", "RandomZoom", "Solarization",
)  # fmt: skip
def unchanged(call: Call) -> int:
    """The input itself: such layers act in training only."""
    for key in call.config.values:
        call.config.raw(key)
    return call.emit(Identity(), call.x)


@layer("AutoContrast", ignored=("data_format", "factor", "auto_vectorize", "bounding_box_format"))
def auto_contrast(call: Call) -> int:
    """Each channel stretched so that its values fill the range, also at inference; a flat channel stays."""
    low, high = call.config.numbers("value_range", 255.0)
    least, most = (call.emit(Reduce(kind, (-3, -2), keepdims=True), call.x) for kind in ("min", "max"))
    share = call.emit(Binary("sub"), call.x, least)
    share = call.emit(Binary("div"), share, call.emit(Binary("sub"), most, least))
    share = call.emit(Activate(Activation("relu", c=1.0)), share)
    y = call.emit(Binary("mul"), share, call.scalar(high - low))
    y = call.emit(Binary("add"), y, call.scalar(low))
    return call.emit(Select(), call.emit(Activate(Activation("is_nan")), y), call.x, y)


@layer("Pipeline")
def pipeline(call: Call) -> int:
    """Layers one after another."""
    described = call.config.raw("layers")
    if not isinstance(described, list) or not all(isinstance(data, dict) for data in described):
        raise call.config.wrong("layers", "a list of layers")
    y = call.x
    for i, data in enumerate(described):
        (y,) = call.run(call.child(f"{i}", data), y)
    return y
