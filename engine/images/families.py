"""Which preprocessing the models of keras.applications were trained with.

Source: keras/src/applications/*.py, `preprocess_input` of each; ResNet-RS and RegNet are in tf.keras only.
"""

import re

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


def family_preprocess(name: str) -> str | None:
    """The preprocessing of a model that keras.applications gave this name, and that has no scaling layer inside.

    None for any other name.
    Keras makes names unique by a number at their end: `resnet50_1`.
    """
    plain = name.lower()
    return next((mode for pattern, mode in _MODES if re.fullmatch(rf"(?:{pattern})(?:_[1-9]\d?)?", plain)), None)
