"""Model files that other people's Keras wrote, where they lie beside the project, against recorded outputs."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelFileError, UnsupportedLayerError
from engine.frontend import Network, open_model
from engine.ir import reference
from tests.checking import Kind, assert_close

MODELS = Path(__file__).parents[3] / "shared" / "models"

COMPUTED: dict[str, Kind] = {
    "dl4j_bilstm_th_k122.h5": "values",
    "dl4j_conv2d_reshape_th_k122.h5": "values",
    "dl4j_lstm_k122_tf.h5": "values",
    "emg_rnn_k392.keras": "probabilities",
    "fashion_cnn_k341.keras": "probabilities",
    "fast_srgan_gen_tfk224.h5": "values",
    "lane_mlnd_k208.h5": "values",
    "potato_resize_rescale_k214.h5": "probabilities",
    "sleap_multiclass_k24.h5": "values",
    "cifar10_resnet8_tiny_k24.h5": "probabilities",
    "fer2013_mini_xception_k205.hdf5": "probabilities",
    "kws_streaming_tiny_k214.h5": "probabilities",
    "rapper_lstm_yaml_k208.hdf5": "values",
    "toycar_ae_tiny_k24.h5": "values",
    "vww_mobilenet_tiny_k24.h5": "probabilities",
}
DESCRIBED: dict[str, tuple[str, Kind]] = {
    "betago_yaml_k10_theano.hd5": ("betago_yaml_k10_theano.sidecar.yml", "probabilities"),
    "cartpole_dqn_weights_k206.h5": ("cartpole_dqn_weights_k206.json", "values"),
    "mnist_cnn_yaml_k215.h5": ("mnist_cnn_yaml_k215.sidecar.yaml", "probabilities"),
}
"""Weights, the file that describes their model, and the kind of its results."""
REFUSED = {
    "carnd_nvidia_k121.h5": (UnsupportedLayerError, "'lambda_1' \\(Lambda\\)"),
    "mnist_cnn_yaml_k215.h5": (ModelFileError, "weights only"),
    "cartpole_dqn_weights_k206.h5": (ModelFileError, "weights only"),
    "dl4j_lstm_k122_tf.sidecar.h5": (ModelFileError, "no Keras model"),
}


def find(name: str) -> Path:
    path = MODELS / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside the project")
    return path


def check(network: Network, name: str, kind: Kind) -> None:
    with np.load(find(f"{name.rpartition('.')[0]}.ref.npz")) as recorded, network:
        inputs = [recorded[f"x{i}"][:2] for i in range(len(network.graph.inputs))]
        values = reference.run(network.graph, inputs)
        for i, output in enumerate(network.graph.outputs):
            assert_close(values[output], recorded[f"y{i}"][:2], kind)


@pytest.mark.parametrize("name", COMPUTED)
def test_numbers_are_the_recorded_ones(name: str) -> None:
    check(open_model(find(name)), name, COMPUTED[name])


@pytest.mark.parametrize("name", DESCRIBED)
def test_weights_and_their_description(name: str) -> None:
    arch, kind = DESCRIBED[name]
    if not arch.endswith(".json"):
        pytest.importorskip("yaml")
    check(open_model(find(name), find(arch)), name, kind)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_computed_is_named(name: str) -> None:
    error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        open_model(find(name))
