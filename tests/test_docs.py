"""The pages of docs as a site: no warning, nothing fetched, no link that leads nowhere."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

import churnml
from churnml.cli import reference

ROOT = Path(__file__).parents[1]


class Page(HTMLParser):
    """What a page names, and what it points at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Keep names, links, and what a browser fetches by itself."""
        told = dict(attributes)
        self.ids |= {told[name] for name in ("id", "name") if told.get(name)}
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        if tag in ("script", "img", "iframe") and told.get("src"):
            self.fetched.append(told["src"])
        if tag == "link" and told.get("rel") in ("stylesheet", "icon", "preload", "preconnect"):
            self.fetched.append(told["href"])


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a folder as `make docs` does."""
    program = Path(sys.executable).with_name("zensical")
    command = [program, "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> dict[str, Page]:
    """Every page of the site by its path."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    (folder / "churnml").symlink_to(ROOT / "churnml")
    (folder / "docs" / "commands.md").write_text(reference.markdown(), encoding="utf-8")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "No issues found" in done.stdout + done.stderr
    pages = (folder / "site").rglob("index.html")
    return {
        f"/{page.parent.relative_to(folder / 'site')}/".replace("/./", "/"): Page(
            page.read_text(encoding="utf-8")
        )
        for page in pages
    }


def test_every_page_is_built_and_stands_in_the_navigation(site):
    sources = {path.stem for path in (ROOT / "docs").glob("*.md")} | {"commands"}
    assert set(site) == {f"/{name}/" if name != "index" else "/" for name in sources}
    led = {urlsplit(urljoin("/", link)).path for link in site["/"].links}
    assert set(site) <= led


def test_no_link_leads_nowhere(site):
    for place, page in site.items():
        for link in page.links:
            there = urlsplit(urljoin(f"http://here{place}", link))
            if there.netloc == "here":
                assert there.path in site, (place, link)
                if there.fragment:
                    assert unquote(there.fragment) in site[there.path].ids, (place, link)
            else:
                assert there.hostname == "zensical.org", (place, link)


def test_nothing_is_fetched_from_elsewhere(site):
    for place, page in site.items():
        outside = [one for one in page.fetched if re.match(r"(https?:)?//", one)]
        assert not outside, place


def test_the_reference_has_every_public_name(site):
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: churnml\.(\w+)$", text, re.MULTILINE)) == churnml.__all__
    absent = [name for name in churnml.__all__ if not _stands(name, site["/reference/"].ids)]
    assert not absent


def _stands(name: str, ids: set[str]) -> bool:
    return any(one == f"churnml.{name}" or one.endswith(f".{name}") for one in ids)


def test_a_dead_link_fails_the_build(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Here\n\n[there](nowhere.md)\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: here\ntheme: {name: material}\n")
    done = build(tmp_path)
    assert done.returncode != 0
    assert "page does not exist" in done.stdout + done.stderr
