"""What every answer of the page tells the browser to refuse.

No inline style or script, no foreign one, no frame around it. Forms may only lead where a
purchase can lead: browsers apply `form-action` to the redirects after a POST too, so it lists
the bank's challenge and the session's own `success_url`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tallystick.domain.web_origin import origin

_EVERYWHERE = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": (
            "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
            "magnetometer=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
    }
)


def page_headers(
    forms_lead_to: Iterable[str | None] = (), logo: str | None = None
) -> dict[str, str]:
    """The headers of a page whose forms may lead to these addresses besides ours."""
    forms = _sources(forms_lead_to)
    images = _sources([logo])
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self'{images}",
        "connect-src 'self'",
        f"form-action 'self'{forms}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return {
        **_EVERYWHERE,
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-store",
    }


def asset_headers(*, is_current: bool) -> Mapping[str, str]:
    """The headers of one of our files: kept for a year if its name holds its hash."""
    caching = "public, max-age=31536000, immutable" if is_current else "no-cache"
    return {
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": caching,
    }


def _sources(urls: Iterable[str | None]) -> str:
    origins = dict.fromkeys(found for url in urls if (found := origin(url)) is not None)
    return "".join(f" {one}" for one in origins)
