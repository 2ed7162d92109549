"""Voice detection with Silero VAD, run by onnxruntime without torch.

The model ships in the package ``silero-vad``, whose own code needs torch: install it without
its dependencies, for only its data file is read here.
"""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import Samples
from speech.audio.voice import RATE_HZ, WINDOW_SAMPLES

CONTEXT_SAMPLES = 64
"""The model sees the end of the window before; without it the first samples look like a click."""


def model_path() -> Path:
    """Where the package keeps the model.

    Raises:
        ProviderUnavailable: the package or its model file is not installed.
    """
    package = importlib.util.find_spec("silero_vad")
    if package is None or package.origin is None:
        raise ProviderUnavailable(
            "voice detection needs the package silero-vad, installed without dependencies"
        )
    path = Path(package.origin).parent / "data" / "silero_vad.onnx"
    if not path.is_file():
        raise ProviderUnavailable("the package silero-vad has no model silero_vad.onnx")
    return path


@cache
def _session(path: Path) -> onnxruntime.InferenceSession:
    # One window takes 0.1 ms: more threads cost more than they give.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )


class SileroDetector:
    """A `speech.audio.voice.Detector` for one stream of 16 kHz sound.

    The model is loaded once a process and shared; what was heard is kept here. One window
    takes about 0.1 ms, so it may be called on an event loop.

    Args:
        path: the model; without one, that of the package.

    Raises:
        ProviderUnavailable: there is no model.
    """

    __slots__ = ("_context", "_model", "_state")

    _RATE = np.array(RATE_HZ, np.int64)

    def __init__(self, path: Path | None = None) -> None:
        self._model = _session(path or model_path())
        self.reset()

    def reset(self) -> None:
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)

    def probability(self, window: Samples) -> float:
        """How likely the window of 512 samples holds speech, 0 to 1.

        Raises:
            ValueError: a window of another length.
        """
        if len(window) != WINDOW_SAMPLES:
            raise ValueError(f"a window has {WINDOW_SAMPLES} samples")
        heard = np.concatenate([self._context, window]).astype(np.float32, copy=False)
        self._context = heard[-CONTEXT_SAMPLES:]
        output, self._state = self._model.run(
            None, {"input": heard[None], "state": self._state, "sr": self._RATE}
        )
        return float(output[0, 0])
