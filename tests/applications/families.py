"""The models of keras.applications and the smallest image that each is built for here."""

SMALLEST = {
    "VGG16": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "DenseNet121": 32,
    "InceptionV3": 75,
    "InceptionResNetV2": 75,
    "Xception": 71,
    "NASNetMobile": 32,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "ConvNeXtTiny": 32,
}
"""The smallest model of each family."""

LARGER = {
    **dict.fromkeys(("VGG19", "ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2"), 32),
    **dict.fromkeys(("DenseNet169", "DenseNet201", "NASNetLarge", "MobileNetV3Large"), 32),
    **dict.fromkeys((f"EfficientNetB{i}" for i in range(1, 8)), 32),
    **dict.fromkeys((f"EfficientNetV2{size}" for size in ("B1", "B2", "B3", "S", "M", "L")), 32),
    **dict.fromkeys((f"ConvNeXt{size}" for size in ("Small", "Base", "Large", "XLarge")), 32),
}

FAMILIES = {**SMALLEST, **LARGER}
