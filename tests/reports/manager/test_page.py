"""The page of a hostile operator: escaped, whole, without customers, in both languages."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import pytest

from churnml.reports.manager.page import manager_page
from churnml.reports.words import LANGUAGES, all_words

_FILE = Path(__file__).parents[2] / "registry" / "ui" / "browser.py"
_spec = importlib.util.spec_from_file_location("browser", _FILE)
browser = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser)

PLAN = {
    "as_of": "2026-05-01",
    "budget": 5000.0,
    "spent": 4200.0,
    "says": {"en": "Offers <b>keep</b> customers.", "zh": "优惠有效。"},
    "rows": {"in": 435, "treat": 120, "hold_out": 60, "left_out": 255},
    "expected_gain": {"honest": 900.0, "honest_low": 100.0, "honest_high": 1700.0},
    "price_of_a_yuan": 0.31,
    "left_out": {"opted_out": 4, "no_gain": 200, "limits": 51, "minor": 0},
}
CAMPAIGN = {
    "campaign": "<i>spring</i>",
    "as_of": "2026-02-01",
    "until": "2026-04-01",
    "matured": True,
    "rows": {"treat": 400, "hold_out": 7},
    "itt": -0.02,
    "itt_low": -0.03,
    "itt_high": -0.01,
    "cace": None,
    "cace_low": None,
    "cace_high": None,
    "gain_yuan": 1234.0,
    "gain_low": -50.0,
    "gain_high": 2500.0,
    "promised": {"effect": -0.02, "gain_optimistic": 2000.0, "gain_honest": 1000.0},
}
MONITORING = {
    "months": [
        {
            "as_of": "2026-04-01", "rows": 430, "origin": "scored", "scored_mean": 0.031,
            "realised": {"auc": 0.71, "low": 0.64, "high": 0.78, "rate": 0.028},
            "estimated": None, "known_from": "2026-06-01", "alarms": [],
        },
        {
            "as_of": "2026-06-01", "rows": None, "origin": "scored", "scored_mean": None,
            "realised": None, "estimated": None, "known_from": "2026-08-01",
            "alarms": [{"measure": "<u>x</u>", "level": "act", "what_to_do": "Train anew."}],
        },
    ]
}  # fmt: skip
NAMES = (
    r"ARPU|AUC|A类|B类|C类|A|B|C|op\b|churnml|Kitagawa|Holm|Mbit/s|[a-z]+\.[a-z_]+"
    r"|--[a-z]+|(?:list|retain|measure|monitor|index|quality)\b|hall_id|[a-z]+/[0-9a-f]{8}"
    r"|[1-9]-[1-9]0?|script|alert|operator|regulator|spring|tier_group_sector"
)


@pytest.fixture(scope="module")
def pages(findings):
    whole = replace(findings, plan=PLAN, campaign=CAMPAIGN, monitoring=MONITORING)
    return {lang: manager_page(whole, lang)[0] for lang in LANGUAGES}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_and_texts_of_the_data_are_escaped(pages, lang):
    text = pages[lang]
    assert "&lt;script&gt;" in text
    assert "&lt;i&gt;spring" in text
    assert not re.search(r"<(script|b|i|u)\b", text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_lies_outside_the_page_and_it_is_small(pages, lang):
    assert not re.search(r"https?:|//|url\(|@import|<link|<img|src=", pages[lang])
    assert len(pages[lang].encode()) < 300_000


def test_no_customer_is_in_it(findings, pages):
    ids = re.compile(r"\b\d{8,}\b")
    assert not ids.search(re.sub(r"<svg.*?</svg>", "", pages["en"], flags=re.S))


def test_the_same_findings_give_the_same_bytes(findings):
    assert manager_page(findings, "zh")[0] == manager_page(findings, "zh")[0]


def test_the_chinese_page_is_chinese_outside_names(pages):
    text = re.sub(r"<style>.*?</style>|<[^>]+>|&\w+;|&#\d+;", " ", pages["zh"], flags=re.S)
    text = text.replace("Train anew.", "")
    assert re.findall(r"[A-Za-z]{3,}", re.sub(NAMES, " ", text)) == []


def test_what_is_absent_is_said_in_a_line(findings):
    bare = replace(findings, index=None, complaints=None, flows=None, risk=None)
    for lang in LANGUAGES:
        text, _said, sections = manager_page(bare, lang)
        named = {one.id: one.heading for one in sections}
        for topic in ("risk", "complaints", "changed", "halls"):
            assert named[topic] == all_words()["report"][f"{topic}_none"][lang]
            assert named[topic] in text


def test_a_plan_and_a_campaign_are_told_without_small_numbers(pages):
    text = pages["en"]
    assert "120 customers get an offer for 4,200 yuan, 60 are held out" in text
    assert "900 yuan (100 to 1,700)" in text
    # 4 asked not to be contacted: hidden, and with them another, so that nobody subtracts.
    rows = re.findall(r'<th scope="row">([^<]*)</th><td class="n">(.*?)</td>', text)
    left = {name: re.sub("<[^>]+>", "", cell) for name, cell in rows}
    assert left["asked not to be contacted"] == "&lt;10"
    assert left["others came first within the limits"] == "&lt;10"
    assert left["no offer is expected to be worth its cost"] == "200"
    assert "400, fewer than 10" in text
    assert "The last campaign kept customers" in text


def test_monitoring_says_what_cannot_be_known_yet(pages):
    assert "known from 2026-08-01" in pages["en"]
    assert "The model needs action: 1 alarms" in pages["en"]
    assert "0.710" in pages["en"]


PROBLEMS = """
(() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push('scrolls sideways');
  if (document.querySelectorAll('h1').length !== 1) found.push('h1');
  let level = 1;
  for (const one of document.querySelectorAll('h1,h2,h3')) {
    const next = Number(one.tagName[1]);
    if (next > level + 1) found.push('heading ' + one.textContent);
    level = next;
  }
  for (const one of document.querySelectorAll('svg[role=img]'))
    if (!one.querySelector(':scope > title') || !one.querySelector(':scope > desc'))
      found.push('svg ' + one.id);
  for (const one of document.querySelectorAll('svg:not([role=img])'))
    if (!one.closest('[aria-hidden=true],[role=img]')) found.push('svg without a role');
  for (const one of document.querySelectorAll('table'))
    if (!one.caption || [...one.querySelectorAll('th')].some(th => !th.scope))
      found.push('table ' + one.textContent.slice(0, 40));
  for (const one of document.querySelectorAll('svg[role=img] text')) {
    const box = one.getBoundingClientRect();
    if (box.width && (box.left < -1 || box.right > innerWidth + 1))
      found.push('text ' + one.textContent);
    if (box.width && parseFloat(getComputedStyle(one).fontSize) < 12) found.push('small text');
  }
  const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
  if (new Set(ids).size !== ids.length) found.push('an id twice');
  for (const one of document.querySelectorAll('a[href^="#"]'))
    if (!document.querySelector(one.getAttribute('href'))) found.push(one.href);
  return found;
})()
"""


@pytest.mark.skipif(browser.PROGRAM is None, reason="no Chromium here")
def test_a_browser_shows_it_at_two_widths_and_in_print(pages, tmp_path):
    with browser.page() as page:
        for lang, text in pages.items():
            file = tmp_path / f"{lang}.html"
            file.write_text(text, encoding="utf-8")
            for width in (390, 1280):
                page.resize(width)
                page.open(file.as_uri(), until="document.readyState === 'complete'")
                assert page.ask(PROBLEMS) == [], (lang, width)
                assert page.ask("document.querySelectorAll('section').length") == 12
            assert page.printed().startswith(b"%PDF")
