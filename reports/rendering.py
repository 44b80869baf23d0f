"""From a page's context to HTML: everything escaped, nothing undefined, no script or address but the report's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from diptych.reports.read.numbers import count, number, plain_name, share, short

# Nothing is loaded from anywhere but the folder of the report, and nothing runs but its files.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
STATIC = Path(__file__).parent / "static"
OUTPUT = "assets"


def make_environment() -> Environment:
    """Return the environment of the templates: autoescape on, an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("diptych.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "number": number,
        "plain_name": plain_name,
        "share": share,
        "short": short,
        "web_address": web_address,
    }
    environment.globals |= {"policy": POLICY, "assets": OUTPUT}
    return environment


def web_address(text: str | None) -> str:
    """Return an address if it may become a link, else nothing: only http and https lead anywhere.

    >>> web_address("https://example.org/a"), web_address("javascript:alert(1)"), web_address("//example.org")
    ('https://example.org/a', '', '')
    """
    try:
        parts = urlsplit(text or "")
    except ValueError:
        return ""
    return str(text) if parts.scheme in {"http", "https"} and parts.netloc else ""


def render(environment: Environment, name: str, context: Mapping[str, Any]) -> bytes:
    """Return a page as UTF-8; lone surrogates, which no file can hold, become question marks."""
    return environment.get_template(f"{name}.html").render(context).encode("utf-8", "replace")


def static_files() -> dict[str, bytes]:
    """Return the scripts and the style sheet of a report by their path in it."""
    return {f"{OUTPUT}/{path.name}": path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file()}
