"""Model files that other people's Keras wrote, where they lie beside the project, against recorded outputs."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelFileError, UnsupportedLayerError
from engine.frontend import open_model
from engine.ir import reference
from tests.checking import assert_close

MODELS = Path(__file__).parents[3] / "shared" / "models"

COMPUTED = {
    "emg_rnn_k392.keras": "probabilities",
    "fashion_cnn_k341.keras": "probabilities",
    "fast_srgan_gen_tfk224.h5": "values",
    "lane_mlnd_k208.h5": "values",
    "potato_resize_rescale_k214.h5": "probabilities",
    "rapper_lstm_yaml_k208.hdf5": "probabilities",
    "sleap_multiclass_k24.h5": "values",
    "cifar10_resnet8_tiny_k24.h5": "probabilities",
    "fer2013_mini_xception_k205.hdf5": "probabilities",
    "kws_streaming_tiny_k214.h5": "probabilities",
    "rapper_lstm_yaml_k208.hdf5": "values",
    "toycar_ae_tiny_k24.h5": "values",
    "vww_mobilenet_tiny_k24.h5": "probabilities",
}
REFUSED = {
    "carnd_nvidia_k121.h5": (UnsupportedLayerError, "Keras 1.2.1"),
    "mnist_cnn_yaml_k215.h5": (ModelFileError, "weights only"),
    "cartpole_dqn_weights_k206.h5": (ModelFileError, "weights only"),
    "dl4j_lstm_k122_tf.sidecar.h5": (ModelFileError, "no Keras model"),
}


def find(name: str) -> Path:
    path = MODELS / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside the project")
    return path


@pytest.mark.parametrize("name", COMPUTED)
def test_numbers_are_the_recorded_ones(name: str) -> None:
    path = find(name)
    with np.load(path.with_suffix("").with_suffix(".ref.npz")) as recorded, open_model(path) as network:
        inputs = [recorded[f"x{i}"][:2] for i in range(len(network.graph.inputs))]
        values = reference.run(network.graph, inputs)
        for i, output in enumerate(network.graph.outputs):
            assert_close(values[output], recorded[f"y{i}"][:2], COMPUTED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_computed_is_named(name: str) -> None:
    error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        open_model(find(name))
