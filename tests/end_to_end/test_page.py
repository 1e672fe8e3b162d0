"""The page in a browser: what it shows, what it never runs, and who can use it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("fastapi", reason='the server is an extra: pip install "twofold[serve]"')
pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright, which is missing")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright
from served import served

import twofold
from twofold.encoders.hashed_words import HashedWords
from twofold.serving.access import new_key

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

HOSTILE = "<img src=x onerror='window.ran=1'><script>window.ran=1</script> javascript:window.ran=1 \"'`</p>"
DOCUMENTS = [
    {
        "id": "tea",
        "title": "Tea",
        "text": "𝒯 Leaf. Green tea is steeped at eighty degrees. 🍵 Hot.",
        "kind": "hot",
    },
    {"id": "coffee", "title": "Coffee", "text": "Coffee is brewed with water of ninety degrees.", "kind": "hot"},
    {"id": "milk", "title": "Milk", "text": "Milk of cows is white.", "kind": "cold"},
    {"id": HOSTILE, "title": HOSTILE, "text": f"poison. {HOSTILE}", "kind": HOSTILE, "tags": [HOSTILE]},
]

PLANETS = {f"p{number}": f"planet{number} orbit{number} moon{number} has rings" for number in range(12)}
GUIDE = (
    "# Mars\n\n"
    + "Dust storms cover the red planet for weeks, and winds are thin. " * 2
    + "\n\n## Moons\n\n"
    + "Phobos and Deimos are two small and dark moons of irregular shape. " * 2
    + "\f# Venus\n\nClouds of acid reflect most of the light of the sun."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "notes.twofold"
    with twofold.create(path, HashedWords(64)) as notes:
        notes.add(DOCUMENTS)
        notes.tune()
    return path


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of divided documents, tuned with judged questions within a budget."""
    path = tmp_path_factory.mktemp("page") / "planets.twofold"
    with twofold.create(path, HashedWords(64), passages={"tokens": 16, "overlap": 0}) as planets:
        planets.add([*({"id": name, "text": text} for name, text in PLANETS.items()), {"id": "guide", "text": GUIDE}])
        queries = {f"q{name}": " ".join(text.split()[:3]) for name, text in PLANETS.items()}
        qrels = {f"q{name}": {name: 1} for name in PLANETS}
        planets.tune(queries=queries, qrels=qrels, budget=60_000)
    return path


@pytest.fixture(scope="module")
def url(folder: Path, judged: Path) -> Iterator[str]:
    with served(folder, judged) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    context = browser.new_context(**getattr(request, "param", {}))
    opened, wrong = context.new_page(), []
    opened.set_default_timeout(30_000)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert [each for each in wrong if "401" not in each] == []


def asked(page: Any, url: str, query: str) -> None:
    page.goto(url)
    page.fill("#query", query)
    page.wait_for_selector("ol.hits > li")


def test_it_answers_while_a_question_is_typed_and_marks_the_sentence(page: Any, url: str) -> None:
    asked(page, url, "tea eighty")
    first = page.locator("ol.hits > li").first
    assert first.locator("h2").inner_text() == "Tea"
    assert first.locator("mark").inner_text().strip() == "Green tea is steeped at eighty degrees."
    assert first.locator("mark b").all_inner_texts() == ["tea", "eighty"]
    assert first.locator(".parts svg rect").count() == 2
    page.select_option("#mode", "dense lexical")
    page.wait_for_selector(".sides.two section:nth-child(2)")
    assert page.locator("#results h2:not(li h2)").all_inner_texts() == ["Dense", "Lexical"]


def test_facets_filter_and_a_document_leads_to_others(page: Any, url: str) -> None:
    asked(page, url, "degrees of milk")
    page.locator(".facets details").evaluate("each => { each.open = true }")
    page.get_by_role("button", name="cold 1").click()
    expect(page.locator("ol.hits > li")).to_have_count(1)
    page.get_by_role("link", name="Milk").click()
    page.wait_for_selector("h1:text('Milk')")
    assert page.locator("p.text.whole").inner_text() == "Milk of cows is white."
    assert page.locator("section ol.hits > li").count() == 3
    page.get_by_role("link", name="Documents").click()
    page.wait_for_selector("h1:text('Documents')")
    assert page.locator("ol.hits > li").count() == 4
    page.get_by_role("link", name="About").click()
    page.wait_for_selector("text=Every search is exact")


def counts(page: Any) -> dict[str, str]:
    shown = [each.split("\n") for each in page.locator(".facets button").all_inner_texts()]
    return {name: count for name, count in shown if name != HOSTILE}


def test_counts_beside_filters_are_of_the_results_and_of_what_other_fields_let_through(page: Any, url: str) -> None:
    page.goto(url)
    expect(page.locator(".facets p.quiet")).to_have_text("Among all documents")
    page.locator(".facets details").evaluate("each => { each.open = true }")
    assert counts(page) == {"hot": "2", "cold": "1"}
    page.goto(f"{url}/#/notes/search?q=degrees&mode=lexical")
    expect(page.locator(".facets p.quiet")).to_have_text("Among the first 2 results")
    page.locator(".facets details").evaluate("each => { each.open = true }")
    assert counts(page) == {"hot": "2", "cold": "0"}
    page.get_by_role("button", name="cold 0").click()
    page.wait_for_selector("text=Nothing found")
    expect(page.locator(".facets p.quiet")).to_have_text("Among the first 2 results")  # its values are alternatives
    assert counts(page) == {"hot": "2", "cold": "0"}


def test_a_document_shows_its_passages_under_their_headings_and_pages(page: Any, url: str) -> None:
    page.goto(f"{url}/#/planets/document?id=guide")
    page.wait_for_selector("h1:text('guide')")
    page.locator("main details summary").click()
    shown = page.locator("ol.passages > li")
    assert shown.count() > 2
    first, last = shown.first.inner_text(), shown.last.inner_text()
    assert ("Mars" in first, "page 1" in first, "characters 0 to" in first) == (True, True, True)
    assert ("Venus" in last, "page 2" in last, f"to {len(GUIDE)}" in last) == (True, True, True)
    assert any("Mars › Moons" in each for each in shown.all_inner_texts())
    page.goto(f"{url}/#/planets/document?id=p1")  # of one passage, which is its text
    page.wait_for_selector("h1:text('p1')")
    assert page.locator("ol.passages").count() == 0


def test_what_tuning_measured_is_drawn_beside_its_figures(page: Any, url: str, judged: Path) -> None:
    with twofold.open(judged) as planets:
        lexical = planets.info().lexical
    assert lexical is not None
    assert lexical.learned is not None
    assert lexical.pipeline is not None
    page.goto(f"{url}/#/planets/about")
    page.wait_for_selector("text=The weight of lexical search")
    plots, tables = page.locator("svg.plot"), page.locator("main table")
    for place, (points, chosen) in enumerate(
        [
            (len(lexical.learned.tried), f"share {lexical.learned.share:g}"),
            (len(lexical.pipeline.ways), str(lexical.pipeline.pipeline)),
        ]
    ):
        assert plots.nth(place).locator("circle").count() == points
        assert tables.nth(place).locator("tbody tr").count() == points
        assert chosen in plots.nth(place).locator("circle.chosen").inner_html()
    assert plots.nth(1).locator("line.interval").count() == len(lexical.pipeline.ways)
    best = f"{lexical.learned.held_out:.4f}"
    assert best in page.locator("section:has-text('The weight of lexical search') p").inner_text()
    page.goto(f"{url}/#/notes/about")  # tuned without judgements
    page.wait_for_selector("text=without judgements")
    assert page.locator("svg.plot").count() == 0


def test_results_are_judged_with_the_keyboard_and_the_files_are_those_that_tune_reads(
    page: Any, url: str, folder: Path, tmp_path: Path
) -> None:
    asked(page, url, "green tea")
    page.get_by_label("Judge").check()
    page.wait_for_selector("[data-grade='3']")
    page.locator("ol.hits > li").first.focus()
    for key in ("3", "j", "0"):
        page.keyboard.press(key)
    files: dict[str, Path] = {}

    def saved(download: Any) -> None:
        files[download.suggested_filename] = tmp_path / download.suggested_filename
        download.save_as(files[download.suggested_filename])

    page.on("download", saved)
    page.get_by_role("button", name="Save 2 judgements").click()
    for _ in range(300):
        page.wait_for_timeout(100)
        if len([each for each in files.values() if each.is_file()]) == 2:
            break
    grades = twofold.read_qrels(files["qrels.tsv"])["q1"]
    assert grades["tea"] == 3
    assert sorted(grades.values()) == [0, 3]
    assert json.loads(files["queries.jsonl"].read_text()) == {"_id": "q1", "text": "green tea"}


def violations(page: Any) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_no_view_has_a_serious_fault_of_accessibility(page: Any, url: str) -> None:
    asked(page, url, "tea")
    page.get_by_label("Judge").check()
    page.wait_for_selector("[data-grade='3']")
    for view in ("search", "documents", "about", "document?id=tea"):
        if view != "search":
            page.goto(f"{url}/#/notes/{view}")
            page.wait_for_selector("h1:not(.hidden)")
        assert violations(page) == [], view
    for view in ("about", "document?id=guide"):
        page.goto(f"{url}/#/planets/{view}")
        page.wait_for_selector("h1:not(.hidden)")
        page.locator("main details").evaluate_all("each => each.forEach((one) => { one.open = true })")
        assert violations(page) == [], view


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_a_phone_shows_every_view_without_scrolling_sideways(page: Any, url: str) -> None:
    asked(page, url, "poison")
    for view in ("notes/search", "notes/documents", "notes/about", "planets/about", "planets/document?id=guide"):
        page.goto(f"{url}/#/{view}")
        page.wait_for_selector("h1")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


def test_what_documents_hold_is_shown_and_never_run(page: Any, url: str) -> None:
    page.goto(f"{url}/#/notes/search?q=poison&mode=lexical")
    page.wait_for_selector("ol.hits > li")
    assert page.locator("ol.hits > li h2").all_inner_texts() == [HOSTILE]
    for view in ("documents", f"document?id={quote(HOSTILE)}", f"search?q={quote(HOSTILE)}"):
        page.goto(f"{url}/#/notes/{view}")
        page.wait_for_selector("ol.hits > li")
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None
        assert page.locator("main img, main script").count() == 0


def test_a_key_is_asked_for_and_kept_for_the_tab_alone(page: Any, folder: Path, tmp_path: Path) -> None:
    key, digest = new_key()
    keys = tmp_path / "keys.jsonl"
    keys.write_text(f'{{"name": "k", "sha256": "{digest}", "scopes": ["read"]}}\n')
    with served(folder, keys=str(keys)) as url:
        page.goto(url)
        page.fill("#key", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=does not know")
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.wait_for_selector("#query")
        assert page.evaluate("[sessionStorage['twofold-key'], localStorage.length, document.cookie]") == [key, 0, ""]
        page.goto("about:blank")


def test_all_of_it_comes_from_the_server_and_is_small(page: Any, url: str) -> None:
    fetched: dict[str, int] = {}
    page.on("response", lambda each: fetched.update({each.url: len(each.body())}))
    page.goto(url)
    page.wait_for_selector("#query")
    assert all(each.startswith(url) for each in fetched)
    assert sum(size for each, size in fetched.items() if "/v1/" not in each) <= 60_000
    assert len(fetched) > 8
