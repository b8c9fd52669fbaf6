"""What every answer of a page tells the browser to refuse.

No inline style or script, no foreign one, no frame around it. Where a provider's script draws
the payment panel, what it names is let in on that page; no wallet needs a permission, for none
is shown. Forms may only lead where a purchase can lead: browsers apply `form-action` to the
redirects after a POST too, so it lists us, with the test bank, and the session's own
`success_url`. No other bank is in it: a page of ours leads there, and that is no form.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tallystick.domain.payment_panel import MountedPanel
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
    forms_lead_to: Iterable[str | None] = (),
    logo: str | None = None,
    panel: MountedPanel | None = None,
) -> dict[str, str]:
    """The headers of a page whose forms may lead to these addresses besides ours.

    `panel` is the provider's, on the page that shows it: its sources are let in, and no others.
    """
    forms = _sources(forms_lead_to)
    images = _sources([logo])
    scripts, frames, connections = ("", "", "")
    if panel is not None:
        scripts, frames, connections = (
            "".join(f" {one}" for one in dict.fromkeys(sources))
            for sources in (panel.script_sources, panel.frame_sources, panel.connect_sources)
        )
    policy = (
        "default-src 'none'",
        f"script-src 'self'{scripts}",
        "style-src 'self'",
        f"img-src 'self'{images}",
        f"connect-src 'self'{connections}",
        *([f"frame-src{frames}"] if frames else []),
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
