"""Take the pictures of a report that the documents show: python tests/report_screenshots.py REPORT docs/screenshots."""

import sys
from pathlib import Path

from report_browser import LAPTOP, PHONE, open_browser, watch

# File -> page, state, viewport, colour scheme.
PICTURES = {
    "overview.png": ("index.html", "", LAPTOP, "light"),
    "overview_phone.png": ("index.html", "", PHONE, "light"),
    "funnel.png": ("funnel.html", "#rule-2", LAPTOP, "light"),
    "compare.png": ("compare.html", "", LAPTOP, "light"),
}


def take(report: Path, out: Path) -> None:
    """Write every picture, once its images are there."""
    out.mkdir(parents=True, exist_ok=True)
    with open_browser() as browser:
        for name, (page, state, viewport, scheme) in PICTURES.items():
            with watch(browser, viewport, color_scheme=scheme) as tab:
                tab.open((report / page).absolute(), state)
                tab.until("[...document.images].filter((one) => one.loading !== 'lazy').every((one) => one.complete)")
                tab.page.wait_for_timeout(500)
                tab.page.screenshot(path=str(out / name))


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
