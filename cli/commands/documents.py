"""`opsloom documents`: files made searchable for `document_search`."""

from pathlib import Path
from typing import Annotated

import typer

from cli import parameters

commands = typer.Typer(help="Make documents searchable.", no_args_is_help=True)


@commands.command()
def load(
    folder: Annotated[
        Path, typer.Argument(exists=True, help="A file, or a folder with Markdown, text, HTML or PDF files.")
    ],
    into: Annotated[
        Path, typer.Option("--into", help="The store to write; one that is there is replaced as a whole.")
    ],
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Whose documents these are; default: everybody's.")
    ] = None,
    vectors: Annotated[
        bool, typer.Option("--vectors", help="Also for search by meaning (needs the extra vector).")
    ] = False,
    json_output: parameters.Json = False,
) -> None:
    """Read files into a store that a source of engine `fts5` can name; exit 1 when not one could be read."""
    from agents.execution.tools.embedding import EXTRA, Embedder
    from cli.output import print_json
    from cli.render.errors import fail
    from packs.filling.documents import Document, write_documents
    from packs.filling.readers import Skipped, documents_in

    if vectors and not Embedder.is_installed():
        fail(f"--vectors needs the extra {EXTRA}.", f'Install it: pip install "opsloom[{EXTRA}]"')
    found = list(documents_in(folder, tenant_id=tenant))
    documents = [each for each in found if isinstance(each, Document)]
    skipped = [each for each in found if isinstance(each, Skipped)]
    if not documents:
        reasons = "; ".join(f"{each.path}: {each.reason}" for each in skipped[:5])
        reasons = reasons or "Markdown (.md), text (.txt, .rst, .log), HTML (.html) and PDF (.pdf) are read."
        fail(f"No document could be read below {folder}.", reasons)
    counts = write_documents(into, documents, embed=Embedder().embed if vectors else None)
    if json_output:
        told = [{"path": str(each.path), "reason": each.reason} for each in skipped]
        print_json({"store": str(into), "rows": counts, "skipped": told})
        return
    typer.echo(f"{into}: " + ", ".join(f"{count:,} {table}" for table, count in counts.items()))
    for each in skipped:
        typer.echo(f"left out {each.path}: {each.reason}", err=True)
