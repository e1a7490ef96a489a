"""Follows the redirects of a stream's address, but not from another machine to this one.

What listens on this machine's own addresses often trusts whoever asks from there, and a stream of a
stranger could make the app ask it.
"""

import base64
import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from fer_live.base.translation import tr
from fer_live.errors import SourceError

_MAX_REDIRECTS = 8
"""As many as FFmpeg follows."""
_REDIRECTS = (301, 302, 303, 307, 308)


def final_address(url: str, timeout_s: float) -> str:
    """Where an address leads.

    Args:
        url: An address of HTTP; a name and a password may stand in it, as cameras have them.
        timeout_s: How long all answers together may take.

    Returns:
        The address itself where it leads nowhere else, or does not answer.

    Raises:
        SourceError: It leads from another machine to this one.
    """
    found: list[str | SourceError] = []

    def follow() -> None:
        try:
            found.append(_followed(url, timeout_s))
        except SourceError as error:
            found.append(error)

    # A server that sends its answer byte by byte would hold up each read a little.
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    thread.join(timeout_s)
    final = found[0] if found else url
    if isinstance(final, SourceError):
        raise final
    return final


def _followed(url: str, timeout_s: float) -> str:
    """Neither an answer's content is read, nor anything but HTTP asked."""
    now = url
    for _ in range(_MAX_REDIRECTS):
        try:
            status, location = _asked(now, timeout_s)
        except (OSError, ValueError, http.client.HTTPException):
            return url
        if status not in _REDIRECTS or not location:
            return now if status < 400 else url
        now = _next(now, location)
        if not now.lower().startswith(("http:", "https:")):
            return url
        if _leads_here(now) and not _leads_here(url):
            raise SourceError(
                tr("{url}: leads to this machine itself, which is not followed", url=url)
            )
    return url


def _asked(url: str, timeout_s: float) -> tuple[int, str | None]:
    """The status of the answer, and where it leads."""
    parts = urlsplit(url)
    if parts.scheme.lower() == "https":
        # Certificates are looked at as little as FFmpeg does: cameras sign their own.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout_s, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    headers = {"User-Agent": "fer-live", "Accept": "*/*", "Connection": "close"}
    login = parts.netloc.rpartition("@")[0]
    if login:
        headers["Authorization"] = f"Basic {base64.b64encode(unquote(login).encode()).decode()}"
    with contextlib.closing(connection):
        target = urlunsplit(parts._replace(scheme="", netloc="", fragment="")) or "/"
        connection.request("GET", target, headers=headers)
        with connection.getresponse() as answer:
            return answer.status, answer.getheader("Location")


def _next(url: str, location: str) -> str:
    """The next address; a login stays on the machine that it was given for."""
    before, after = urlsplit(url), urlsplit(urljoin(url, location))
    login, _, place = before.netloc.rpartition("@")
    if login and after.netloc == place:
        after = after._replace(netloc=before.netloc)
    return urlunsplit(after)


def _leads_here(url: str) -> bool:
    host = urlsplit(url).hostname
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return any(_is_own(str(entry[4][0])) for entry in found)


def _is_own(address: str) -> bool:
    told = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(told, ipaddress.IPv6Address) and told.ipv4_mapped:
        told = told.ipv4_mapped
    return told.is_loopback or told.is_link_local or told.is_unspecified
