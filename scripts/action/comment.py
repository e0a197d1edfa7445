"""The action's step `Comment`: write the summary on the pull request, or over the one that was written before.

A pull request from a fork gets no token that may write; that is said, and fails nothing.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

LONGEST = 60_000
"""GitHub takes 65,536 characters."""

SECONDS = 30


def main() -> None:
    """Write the comment that the environment names."""
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    number = event["pull_request"]["number"]
    marker = f"<!-- glassbench {os.environ['SUBJECT'].replace('--', '- -')} -->"
    body = f"{marker}\n{Path(os.environ['SUMMARY']).read_text(encoding='utf-8')[:LONGEST]}"
    repository = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}"
    try:
        earlier = _earlier(f"{repository}/issues/{number}/comments", marker)
        if earlier is None:
            _asked("POST", f"{repository}/issues/{number}/comments", {"body": body})
        else:
            _asked("PATCH", f"{repository}/issues/comments/{earlier}", {"body": body})
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"::warning::the summary was not written on the pull request: {error}", file=sys.stderr)


def _earlier(address: str, marker: str) -> int | None:
    """Return the id of the comment that an earlier run wrote for the same experiment."""
    for page in range(1, 11):
        comments = _asked("GET", f"{address}?per_page=100&page={page}")
        found = [int(one["id"]) for one in comments if str(one["body"]).startswith(marker)]
        if found:
            return found[0]
        if len(comments) < 100:
            return None
    return None


def _asked(method: str, address: str, content: dict[str, str] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Accept": "application/vnd.github+json"}
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
