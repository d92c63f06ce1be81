"""OpenVINO, CPU device, float32."""

import openvino  # type: ignore[import-not-found]

from bench.workers import Call


def load(path: str, batch: int, threads: int) -> Call:
    """Static shape, one stream, no copies at the border; without the precision hint some CPUs would use bfloat16."""
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([batch, *model.input().partial_shape[1:]])
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda x: request.infer([x], share_inputs=True, share_outputs=True)[0]
