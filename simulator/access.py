"""Who may read what: bearer tokens and the organisation headers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.options import Options
from simulator.problems import bad_header, forbidden, unauthorized


@dataclass(frozen=True, slots=True)
class Token:
    """What one API key stands for."""

    user: str
    organisations: tuple[int, ...]


def tokens_of(organisations: Iterable[int]) -> dict[str, Token]:
    """Return the tokens of a world: `demo` reads all its organisations, `demo-<id>` one."""
    ids = tuple(organisations)
    single = {f"demo-{each}": Token(f"demo-{each}", (each,)) for each in ids}
    return {"demo": Token("demo", ids), **single}


def token_of(tokens: Mapping[str, Token], headers: Mapping[str, str]) -> Token:
    """Return the token of a request, by its Authorization header.

    Raises:
        Refused: 401 when there is none, or nobody knows it.
    """
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or key not in tokens:
        raise unauthorized()
    return tokens[key]


def organisations_of(token: Token, headers: Mapping[str, str], *, takes_several: bool, options: Options) -> list[int]:
    """Return the organisations that a request reads.

    Where the path does not know x-organization-ids (`takes_several`), that header means nothing.

    Raises:
        Refused: 400 when a header is missing, unreadable or one too many, 403 for an organisation of somebody else, 401 for a
            one-organisation key that sends a header it should not.
    """
    one, several = headers.get("x-organization-id"), headers.get("x-organization-ids") if takes_several else None
    if one is not None and several is not None:
        raise bad_header("x-organization-id and x-organization-ids are exclusive.")
    if len(token.organisations) == 1:
        if one is not None and options.header_on_single_key == "refused":
            raise unauthorized()
        asked = [token.organisations[0]] if one is None else _numbers(one)
    elif one is None and several is None:
        raise bad_header("Missing x-organization-id header.")
    else:
        asked = _numbers(one or several or "")
    if not set(asked) <= set(token.organisations):
        raise forbidden()
    return sorted(set(asked))


def _numbers(text: str) -> list[int]:
    if not all(each.strip().isdigit() for each in text.split(",")):
        raise bad_header("x-organization-id must be an integer.")
    return [int(each) for each in text.split(",")]
