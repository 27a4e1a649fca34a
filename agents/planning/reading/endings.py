"""Korean endings: what may follow a word, and forms of adjectives and verbs that mean the same."""

from collections.abc import Mapping
from typing import Final

_TAILS: Final = """
    가 같은 거 과 까지 까지의 나 나는 난 났 났나 났나요 났어 냐 는 는요 는지 니 니까 당 당한 도 돼 됐 됐나
    됐나요 됐는지 됐어 되고 되나 되나요 되는 되어 되었 되었나 되었나요 되었는지 되었어 되지 된 된거 됩니까 들
    들은 들을 들의 들이 라고 라는 란 랑 로 를 마저 만 만큼 밖에 받는 받았 받은 부터 시켰 시킨 씩 아 았나 았어
    야 어 었나 었어 에 에게 에게서 에는 에대한 에서 에서는 에서의 에의한 였나 였나요 였는지 였던 였어 였지 예요
    와 요 으로 으로는 은 은요 은지 을 의 의해 이 이고 이나 이냐 이니 이던 이라는 이라도 이란 이랑 이며 이야
    이었나 이었어 이에요 인 인가 인가요 인건 인것 인데 인지 입니까 입니다 있나 있나요 있는 있어 있었나 있었어
    정도 조차 죠 줘 지 째 쯤 처럼 하고 하나 하나요 하는 하며 하여 하지 한 한테 할 합니까 해 했 했나
    했나요 했는지 했니 했던 했습니까 했어 했지
"""
TAILS: Final = tuple(sorted(_TAILS.split(), key=len, reverse=True))
"""Particles and endings that may follow a word, longest first."""
TAIL_SET: Final = frozenset(TAILS)

_FORMS: Final[Mapping[str, str]] = {
    "가장": "제일",
    "느린": "느렸던 느려 느렸어 느린지",
    "긴": "길었던 길었어 길어",
    "많은": "많았던 많았나 많았어 많아 많나 많나요 많은지 많았나요",
    "높은": "높았던 높았나 높아 높나요 높았어",
    "큰": "컸던 커",
    "적은": "적었던 적어",
    "낮은": "낮았던 낮아",
    "비싼": "비쌌던 비싼지",
    "열린": "열려 열려있는 열려있",
    "닫힌": "닫혀 닫혀있는",
    "걸린": "걸렸던 걸렸어 걸렸나",
    "3개": "세개",
    "2개": "두개",
    "5개": "다섯개",
}
CONJUGATED: Final = {form: plain for plain, forms in _FORMS.items() for form in forms.split()}
"""A form, and the one that phrases are written in."""
