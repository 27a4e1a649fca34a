"""Korean words without the particles that end them: what planning and document search both look for."""

PARTICLES = (
    "에서는", "에서", "으로", "까지", "부터", "에는", "하고", "이나", "은", "는", "이", "가", "을", "를", "의", "에",
    "로", "와", "과", "도", "만",
)  # fmt: skip
"""Particles that may end a word, longest first."""


def bare(word: str) -> str:
    """The word without its particle; one that is a particle itself stays."""
    for particle in PARTICLES:
        if len(word) > len(particle) and word.endswith(particle):
            return word[: -len(particle)]
    return word
