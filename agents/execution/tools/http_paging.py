"""The next page of a reply: which request asks for it, or that there is none."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from jmespath.exceptions import JMESPathError

from agents.execution.guards.url.guard import Target, parsed_url
from agents.execution.guards.verdict import Refuse
from agents.execution.outbound.client import Reply
from agents.execution.tools.http_reply import compiled
from registry.outbound_assets import Paging

_NEXT_LINK = re.compile(r'<([^<>]*)>\s*((?:;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s;,"]*)\s*)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))', re.IGNORECASE)


class Pages:
    """Walks through the pages of one call. `query` replaces query parameters; `url` replaces the whole address."""

    def __init__(self, paging: Paging) -> None:
        self._paging = paging
        self._page = 0
        self._seen: set[str] = set()
        self.url: str | None = None
        self.query: Mapping[str, str] = self._numbered()
        self.cut = False
        """There may be more than was asked for."""

    def advance(self, reply: Reply, document: Any, rows: int) -> bool:
        """Set up the next page after one with so many rows; False when there is none."""
        paging = self._paging
        if rows == 0:
            return False
        more = self._follow(reply, document) if paging.kind in ("cursor", "link") else rows >= paging.size
        if not more:
            return False
        self._page += 1
        if self._page >= paging.max_pages:
            self.cut = True
            return False
        if paging.kind in ("page", "offset"):
            self.query = self._numbered()
        return True

    def _numbered(self) -> dict[str, str]:
        paging = self._paging
        query = {paging.size_parameter: str(paging.size)} if paging.size_parameter else {}
        if paging.kind == "page":
            query[paging.parameter or "page"] = str(paging.start + self._page)
        elif paging.kind == "offset":
            query[paging.parameter or "offset"] = str(self._page * paging.size)
        return query

    def _follow(self, reply: Reply, document: Any) -> bool:
        if self._paging.kind == "link":
            following = next_link(reply)
            if following is None or following in self._seen:
                return False
            self._seen.add(following)
            self.url = following
            return True
        cursor = _cursor(document, self._paging.cursor)
        if cursor is None or cursor in self._seen:
            return False
        self._seen.add(cursor)
        self.query = {**self._numbered(), self._paging.parameter or "cursor": cursor}
        return True


def next_link(reply: Reply) -> str | None:
    """The address of `rel="next"` (RFC 8288) of the reply's own origin; another origin's is not followed."""
    for address, parameters in _NEXT_LINK.findall(reply.headers.get("link", "")[:16_384]):
        relation = _REL.search(parameters)
        if relation is None or "next" not in (relation[1] or relation[2] or "").lower().split():
            continue
        here, there = parsed_url(reply.url), parsed_url(_absolute(reply.url, address))
        same = isinstance(here, Target) and isinstance(there, Target) and here.origin == there.origin
        return there.url if same and not isinstance(there, Refuse) else None
    return None


def _absolute(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def _cursor(document: Any, path: str) -> str | None:
    try:
        found = compiled(path).search(document) if path else None
    except JMESPathError:
        return None
    return (
        str(found) if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None
    )
