"""The links in a text, as a phone finds them: with a scheme, with `www.`, or a bare `example.com/page`."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

# What ends a host that stands without a scheme: a country's domain, or one of the common others.
_DOMAIN = (
    r"[a-z]{2}|com|net|org|edu|gov|info|biz|app|dev|shop|store|online|site|website|web|xyz|link|click|top|club|live|"
    r"life|work|world|today|page|blog|cloud|tech|space|support|help|chat|email|finance|money|bank|icu|vip|win|pro|mobi"
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*:(?://|\\\\|/\\|\\/)[^\s<>\"`\\]*", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![\w@.-])(?:"
    r"www\.[\w-]+(?:\.[\w-]+)*"
    rf"|(?:[\w-]+\.)+(?!(?:js|ts)\b)(?:{_DOMAIN})(?![\w-]|\.\w)"
    r"|(?:[\w-]+\.)+[a-z]{2,24}(?=/\w)"
    r")",
    re.IGNORECASE,
)


def linked_hosts(text: str) -> Iterator[str]:
    """Yield the host of each link, in lower case; empty where a link has none. An e-mail address is not a link."""
    for url in _URL.finditer(text):
        yield _host(url[0])
    for host in _BARE.finditer(_URL.sub(" ", text)):
        yield host[0].lower()


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Tell whether a host is one of the allowed ones, or a subdomain of one."""
    return any(host == each or host.endswith(f".{each}") for each in allowed)


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # such as an IPv6 address that is none
        return ""
    return re.split(r"[^\w.-]", host, maxsplit=1)[0].rstrip(".")  # Markdown's bracket may stand right behind it
