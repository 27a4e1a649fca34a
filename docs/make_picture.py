"""Make docs/images/answer.svg: real answers, drawn as the terminal draws them.

    opsloom up --pack host --pack demo   # in another terminal; give it some minutes to have a series to draw
    python docs/make_picture.py          # asks the running `opsloom up`

The last question is that of `opsloom demo` whose second tool hangs.
"""

import argparse
import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cli.demo.script import HANGING_DEADLINE_S, HANGING_PLAN, HANGING_QUESTION
from cli.options import settings_of
from cli.render.answer import render_answer
from opsloom import AnswerComposed, Client

QUESTIONS = ("how was the load over the last 10 minutes?", "what does faust-streaming depend on?")
COLUMNS = 108
PICTURE = Path(__file__).parent / "images" / "answer.svg"

FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {terminal_width} {terminal_height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
    font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
<rect fill="#0c1016" width="{terminal_width}" height="{terminal_height}" rx="8"/>
<g transform="translate(9, 9)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""A terminal without a title bar, and with fonts of the reader's machine only."""


async def ask(broker: str, topic_prefix: str) -> list[AnswerComposed]:
    """The answers, one after the other. Raises NotReachable and NoAnswer."""
    async with Client(broker, topic_prefix=topic_prefix) as client:
        answers = [await client.ask(question) for question in QUESTIONS]
        hanging = await client.ask(HANGING_QUESTION, plan=HANGING_PLAN, deadline_s=HANGING_DEADLINE_S)
        return [*answers, hanging]


def command(answer: AnswerComposed) -> Text:
    """How the answer is asked for on the command line."""
    options = f" --plan plan.json --deadline-s {HANGING_DEADLINE_S:g}" if answer.planner == "producer" else ""
    return Text.assemble(("$ ", "green"), f'opsloom ask "{answer.question}"{options}')


def draw(answers: Sequence[AnswerComposed]) -> str:
    """The picture as SVG."""
    console = Console(
        width=COLUMNS,
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
    )
    for answer in answers:
        console.print(command(answer))
        console.print(render_answer(answer))
        console.print()
    svg = console.export_svg(code_format=FRAME, unique_id="opsloom")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> None:
    """Ask, draw, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="data folder of the running `opsloom up`")
    parser.add_argument("--to", type=Path, default=PICTURE, help="default: %(default)s")
    arguments = parser.parse_args()
    settings = settings_of(data_dir=arguments.data)
    answers = asyncio.run(ask(settings.broker, settings.topic_prefix))
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_text(draw(answers), encoding="utf-8")


if __name__ == "__main__":
    main()
