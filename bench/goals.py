"""How many times faster than the fastest peer the engine should be: for one image, and for 32, on two threads."""

THREADS = 2
BATCHES = (1, 32)

GOALS = {
    "mnist": (1.7, 1.8),
    "mnist_dense": (1.0, 1.3),
    "example_32": (1.5, 1.4),
    "resnet8": (1.4, 1.4),
    "mobilenet_v1": (1.4, 1.4),
    "ds_cnn": (1.4, 1.4),
    "autoencoder": (1.4, 1.4),
    "vgg16": (1.4, 1.7),
    "resnet50": (1.1, 1.25),
    "densenet121": (1.15, 1.15),
    "mobilenet_v2": (1.15, 1.15),
    "efficientnet_b0": (1.3, 1.3),
    "convnext_tiny": (1.6, 1.6),
    "lstm": (1.3, 1.3),
}


def goal(model: str, batch: int, threads: int) -> float | None:
    """The ratio that a row should reach, if there is one."""
    if threads != THREADS or batch not in BATCHES or model not in GOALS:
        return None
    return GOALS[model][BATCHES.index(batch)]
