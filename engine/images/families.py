"""Which preprocessing the models of keras.applications were trained with.

Source: keras/src/applications/*.py, `preprocess_input` of each; ResNet-RS and RegNet are in tf.keras only.
"""

import re
from collections.abc import Collection

_MODES = (
    (r"vgg(16|19)", "caffe"),
    (r"resnet(50|101|152)", "caffe"),
    (r"resnet(50|101|152)v2", "tf"),
    (r"mobilenet_\d\.\d+_\d+|mobilenetv2_\d\.\d+_\d+", "tf"),
    (r"inception_v3|inception_resnet_v2|xception", "tf"),
    (r"nasnet|nasnet_(mobile|large)", "tf"),
    (r"densenet(121|169|201)", "torch"),
    (r"efficientnetv2-(b[0-3]|s|m|l)|mobilenetv3(small|large)", "tf"),
    (r"efficientnetb[0-7]|convnext_(tiny|small|base|large|xlarge)|regnet[xy]\d{3}|resnet-rs-\d+", "none"),
)
"""Names of models, in lower case, and how their images are scaled.

Those of the last two rows scale their images themselves unless they were built with `include_preprocessing=False`;
then those of the last but one want −1 to 1.
"""


_LAYERS = (
    ("VGG", "caffe", {"block1_conv1", "block5_conv3"}),
    ("ResNet", "caffe", {"conv2_block1_add", "conv5_block3_add"}),
    ("ResNet", "caffe", {"res2a_branch2a", "res5c_branch2a"}),
    ("ResNetV2", "tf", {"conv2_block1_preact_bn", "conv5_block3_out"}),
    ("MobileNet", "tf", {"conv_dw_1", "conv_pw_13"}),
    ("MobileNetV2", "tf", {"expanded_conv_project", "block_16_project"}),
    ("InceptionV3", "tf", {"mixed0", "mixed10"}),
    ("InceptionResNetV2", "tf", {"mixed_5b", "conv_7b"}),
    ("Xception", "tf", {"block2_sepconv1", "block14_sepconv2"}),
    ("NASNet", "tf", {"stem_conv1", "reduction_conv_1_stem_1"}),
    ("DenseNet", "torch", {"conv2_block1_concat", "conv5_block1_concat"}),
)
"""Families that scale nothing themselves, and names of layers that only they have."""


def family_preprocess(name: str) -> str | None:
    """The preprocessing of a model that keras.applications gave this name, and that has no scaling layer inside.

    None for any other name.
    Keras makes names unique by a number at their end: `resnet50_1`.
    """
    plain = name.lower()
    return next((mode for pattern, mode in _MODES if re.fullmatch(rf"(?:{pattern})(?:_[1-9]\d?)?", plain)), None)


def family_of_layers(names: Collection[str]) -> tuple[str, str] | None:
    """The family whose layers are among these names, and its preprocessing; None if there is no such family.

    A new head on `base.output` makes a model of a base's own layers, whose name says nothing.
    """
    found = set(names)
    return next(((family, mode) for family, mode, layers in _LAYERS if layers <= found), None)
