"""Mask passwords, tokens and keys in all that is shown or stored.

This is the one place that knows what a secret looks like; errors, logs, results, manifests
and MLflow's tags all pass through `without_secrets`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus

MASK = "***"
"""What stands in a secret's place."""

_WORDS = (
    "password|passwd|passphrase|passcode|pwd|secret|token|credentials?|signature|authorization"
    "|api[-_]?key|access[-_]?key|account[-_]?key|private[-_]?key|shared[-_]?key"
)
_IN_ADDRESS = re.compile(f"{_WORDS}|pass|odbc_connect|^(?:pw|key|sig|sas|auth|code|jwt)$", re.I)
_ANYWHERE = re.compile(f"(?:{_WORDS})$", re.I)
_USER = re.compile(r"(?P<scheme>\b[A-Za-z][\w+.-]*:)?//(?P<user>[^\s\"<>]*)@")
_PORT = re.compile(r"(?P<host>//[^\s/?#:@\"<>\[]+:)(?P<port>[^\s/?#:@\"<>']++)(?!@)")
_VALUE = r"(?:(?![&;#][\w.%-]+=)[^\s\"<>])*"
_PARAMETER = re.compile(rf"(?P<before>[?&;#])(?P<name>[\w.%-]+)=(?P<value>{_VALUE})")
_SETTING = re.compile(
    r"(?P<before>(?<![\w.%-])['\"]?)(?P<name>[A-Za-z][\w-]*)(?P<equals>\s*=\s*|['\"]\s*:\s*)"
    rf"(?P<value>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|{_VALUE})"
)
_TOKEN_LENGTH = 20
_SHORTEST = 3


def without_secrets(text: str, *addresses: str) -> str:
    """Mask the secrets of addresses in a text.

    Parameters
    ----------
    text : str
    *addresses : str
        Addresses in use, whose secrets are blotted out wherever they stand: drivers repeat
        parts of an address in messages of their own.

    Examples
    --------
    >>> without_secrets("postgresql://me:S@host/db?sslmode=require&sslpassword=S#token=S")
    'postgresql://me:***@host/db?sslmode=require&sslpassword=***#token=***'
    >>> without_secrets("https://host:5000/api;pwd=S: no answer. https://a@host/ neither.")
    'https://host:5000/api;pwd=***: no answer. https://***@host/ neither.'
    >>> without_secrets("no user S", "postgresql://S:Sesame@host"), without_secrets("password=S")
    ('no user S', 'password=***')
    """
    for secret in sorted(_secrets(addresses), key=len, reverse=True):
        text = text.replace(secret, MASK)
    if "=" not in text and "@" not in text and ":" not in text:
        return text
    text = _PORT.sub(_port, _USER.sub(_user, text))
    return _SETTING.sub(_setting, _PARAMETER.sub(_parameter, text))


def masked(facts: Any) -> Any:
    """Mask the secrets in every text of plain data."""
    if isinstance(facts, str):
        return without_secrets(facts)
    if isinstance(facts, Mapping):
        return {name: masked(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [masked(value) for value in facts]
    return facts


def _user(match: re.Match[str]) -> str:
    scheme, user = match["scheme"] or "", match["user"]
    name, colon, password = user.partition(":")
    web = scheme.startswith("http")
    host = re.split(r"[/?#]", user, maxsplit=1)[0]
    if web and host != user and re.fullmatch(r"[^:@]*(?::\d*)?", host):
        # A path with an @ in it, behind a host and a port.
        return match[0]
    if web and (not colon or password in ("", "x-oauth-basic") or len(name) >= _TOKEN_LENGTH):
        return f"{scheme}//{MASK}@"
    return f"{scheme}//{name}:{MASK}@" if colon else match[0]


def _port(match: re.Match[str]) -> str:
    """Mask a password without an @host, which looks like a port."""
    shown = match["port"][: -len(_end(match["port"])) or None]
    is_port = shown.isdigit() or not shown
    return match[0] if is_port else f"{match['host']}{MASK}{_end(match['port'])}"


def _parameter(match: re.Match[str]) -> str:
    if not _IN_ADDRESS.search(unquote(match["name"])):
        return match[0]
    return f"{match['before']}{match['name']}={MASK}{_end(match['value'])}"


def _setting(match: re.Match[str]) -> str:
    value = match["value"]
    if not value or not _ANYWHERE.search(match["name"]):
        return match[0]
    quote = value[0] if value[0] in "'\"" and value[-1] == value[0] else ""
    end = "" if quote else _end(value)
    return f"{match['before']}{match['name']}{match['equals']}{quote}{MASK}{quote}{end}"


def _end(value: str) -> str:
    """Punctuation after a value."""
    return value[len(value.rstrip(":.,;)']}")) :]


def _secrets(addresses: tuple[str, ...]) -> set[str]:
    """The secret values, as written and as decoded."""
    raw: set[str] = set()
    for address in addresses:
        for match in re.finditer(r"//(?P<user>.*)@", address):
            password = match["user"].partition(":")[2]
            raw.add(password)
            # Where a password has an @, drivers take what follows it for the host's name.
            raw |= {f"{password[at.end() :]}@" for at in re.finditer("@", password)}
        raw |= {match["port"] for match in _PORT.finditer(address) if not match["port"].isdigit()}
        for match in re.finditer(r"[?&;#](?P<name>[\w.%-]+)=(?P<value>[^&;#]*)", address):
            if _IN_ADDRESS.search(unquote(match["name"])):
                raw.add(match["value"])
    decoded = {spell(text) for text in raw for spell in (str, unquote, unquote_plus)}
    return {text for text in decoded if len(text) >= _SHORTEST}
