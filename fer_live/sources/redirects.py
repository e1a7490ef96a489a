"""Follows the redirects of a stream's address, but not from another machine to this one.

What listens on this machine's own addresses often trusts whoever asks from there, and a stream of a
stranger could make the app ask it.
"""

import base64
import http.client
import ipaddress
import socket
import ssl
import threading
import urllib.error
import urllib.request
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from fer_live.base.translation import tr
from fer_live.errors import SourceError


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
    parts = urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    headers = {"User-Agent": "fer-live"}
    if login:
        token = base64.b64encode(unquote(login).encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    bare = parts._replace(netloc=place)
    try:
        request = urllib.request.Request(urlunsplit(bare), headers=headers)
        with _opener(url).open(request, timeout=timeout_s) as answer:
            final = urlsplit(str(answer.geturl()))
    except (OSError, ValueError, http.client.HTTPException):
        return url
    if final == bare:
        return url
    return urlunsplit(final._replace(netloc=parts.netloc) if final.netloc == place else final)


class _NoWayHome(urllib.request.HTTPRedirectHandler):
    def __init__(self, url: str) -> None:
        self._url = url

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Told the next address before it is asked."""
        if _leads_here(newurl) and not _leads_here(self._url):
            raise SourceError(
                tr("{url}: leads to this machine itself, which is not followed", url=self._url)
            )
        followed = super().redirect_request(req, fp, code, msg, headers, newurl)
        if followed is not None and followed.host != req.host:
            followed.remove_header("Authorization")
        return followed


def _opener(url: str) -> urllib.request.OpenerDirector:
    """HTTP alone. Certificates are looked at as little as FFmpeg does: cameras sign their own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NoWayHome(url),
    ):
        opener.add_handler(handler)
    return opener


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
