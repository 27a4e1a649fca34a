"""Files become documents; what cannot be read says why and holds up nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from packs.filling.documents import Document, write_documents
from packs.filling.readers import MAX_FILE_BYTES, Skipped, Unreadable, documents_in, read_document

PAGE = """<html><head><title>No</title><style>p {}</style></head><body><nav>Menu</nav><h1>Disk full</h1>
<p>Delete   old logs.</p><script>alert(1)</script><h2>Then</h2><ul><li>restart</li></ul></body></html>"""


def pdf_bytes(*pages: str) -> bytes:
    """A small PDF with one line of text a page, written by hand."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
    ]
    for number, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {4 + 2 * number} 0 R "
            "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + head.encode() + trailer.encode()


def test_html_becomes_what_a_reader_sees(tmp_path: Path) -> None:
    """Headings stay headings; scripts, styles and menus are gone."""
    (tmp_path / "disk.html").write_text(PAGE)

    document = read_document(tmp_path / "disk.html", tmp_path)

    assert document.pages == ("# Disk full\n\nDelete old logs.\n\n## Then\n\nrestart",)


def test_pages_of_a_pdf_are_counted(tmp_path: Path) -> None:
    (tmp_path / "manual.pdf").write_bytes(pdf_bytes("Close the sluice first.", "Then call the warden."))

    write_documents(tmp_path / "store.db", [read_document(tmp_path / "manual.pdf", tmp_path)])

    with closing(sqlite3.connect(tmp_path / "store.db")) as store:
        rows = store.execute("SELECT chunk_text, page_number FROM chunks ORDER BY rowid").fetchall()
    assert [(text.split("\n")[-1], page) for text, page in rows] == [
        ("Close the sluice first.", 1),
        ("Then call the warden.", 2),
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.md", b"  \n", "no text"),
        ("binary.txt", b"a\x00b", "NUL"),
        ("broken.pdf", b"%PDF-1.4 and then nothing", "no PDF"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(Unreadable, match=words):
        read_document(tmp_path / name, tmp_path)


def test_one_bad_file_holds_up_no_other(tmp_path: Path) -> None:
    """A file of 200 MB is passed over with its size; it is never read."""
    (tmp_path / "runbook").mkdir()
    (tmp_path / "runbook" / "good.md").write_text("# Good\n\nAll is well.")
    with (tmp_path / "large.txt").open("wb") as large:
        large.truncate(200_000_000)

    found = list(documents_in(tmp_path, tenant_id="acme"))

    assert MAX_FILE_BYTES < 200_000_000
    (skipped,) = [each for each in found if isinstance(each, Skipped)]
    assert "200 MB" in skipped.reason
    (document,) = [each for each in found if isinstance(each, Document)]
    assert (document.document_id, document.document_type) == ("acme/runbook/good.md", "runbook")


def test_vectors_are_kept_beside_their_chunks(tmp_path: Path) -> None:
    documents = [Document("d", "D", "text", "d.txt", None, ("# A\n\none", "# B\n\ntwo"))]

    counts = write_documents(
        tmp_path / "s.db", documents, embed=lambda texts: np.ones((len(texts), 4), dtype=np.float32)
    )

    assert counts == {"documents": 1, "chunks": 2, "vectors": 2}
