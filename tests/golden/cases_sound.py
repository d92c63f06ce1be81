"""Cases of layers that make spectrograms."""

from typing import Any

from tests.golden.case import case

for _mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft"):
    case(f"stft_{_mode}", (50, 1), lambda nn, m=_mode: nn.STFTSpectrogram(m, 12, 5, window=None), only=3)
_STFT = {"frame_length": 16, "fft_length": 32, "mode": "magnitude", "window": None}


def _stft(nn: Any, **more: Any) -> Any:
    return nn.STFTSpectrogram(**_STFT, **more)


case("stft_channels", (60, 3), lambda nn: _stft(nn, padding="same", expand_dims=True), only=3)
case("stft_joined_channels", (60, 3), lambda nn: _stft(nn, data_format="channels_last"), only=3)
case("mel_spectrogram", (900,), lambda nn: nn.MelSpectrogram(64, 30, num_mel_bins=9, sampling_rate=4000), only=3)
case(
    "mel_spectrogram_options",
    (2, 700),
    lambda nn: nn.MelSpectrogram(
        64, 25, 50, window="hamming", num_mel_bins=7, min_freq=100.0, max_freq=3000.0, power_to_db=False, mag_exp=1.0
    ),
    only=3,
)
