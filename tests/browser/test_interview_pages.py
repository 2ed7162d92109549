"""Pages of the interviews for everybody: axe, narrow, large, still, printed, without scripts."""

import re
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.inspection import SCHEMES, axe_by_day_and_night
from tests.browser.interviewing import PASSWORD, keep
from tests.browser.looks import moving
from tests.browser.readers import Reader
from tests.support.worker import Server
from tests.unit.speech.interviews.sample_results import (
    silent_result,
    spoken_result,
    unanswered_result,
    written_result,
)

A4_PX = 794
WIDTHS = (320, 1280)

_names = count(1)


@pytest.fixture(scope="package")
def known(site: Server) -> tuple[str, str]:
    """The name of a reader with six interviews, and what their ids begin with."""
    name = f"practised{next(_names)}"
    results = [
        *(
            spoken_result(session_id=f"{name}-{number}", similarity=0.4 + number / 10, seed=number)
            for number in range(3)
        ),
        written_result(session_id=f"{name}-written"),
        silent_result(session_id=f"{name}-silent"),
        unanswered_result(session_id=f"{name}-unanswered"),
    ]
    keep(site, name, results)
    return name, f"/interviews/{name}-"


def log_in(reader: Reader, name: str, path: str) -> Page:
    page = reader.page
    page.goto(f"/accounts/login/?next={path}")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"**{path}")
    return page


def spill(reader: Reader) -> list[str]:
    """What sticks out of the window, apart from tables, which scroll in a region of their own."""
    found = reader.overflow()
    inside = {"TABLE", "CAPTION", "THEAD", "TBODY", "TR", "TH", "TD", "TIME"}
    return [*(["page"] if found["page"] else []), *(set(found["sticking"]) - inside)]


def wait_for_charts(page: Page) -> None:
    for place in page.locator("[data-chart-place]").all():
        expect(place.locator("svg")).to_be_visible()


def reach_the_turn(page: Page) -> None:
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Answer now").click()
    expect(page.get_by_label("Your answer")).to_be_visible()


@pytest.mark.timeout(120)
def test_choice_and_results_are_accessible(open_reader: Open, known: tuple[str, str]) -> None:
    name, path = known
    reader = open_reader(bypass_csp=True)
    reader.page.goto("/interviews/")
    assert axe_by_day_and_night(reader.page, widths=WIDTHS) == []

    page = log_in(reader, name, "/interviews/")
    wait_for_charts(page)
    assert axe_by_day_and_night(page, widths=WIDTHS) == []
    for kind in ("2", "written", "silent", "unanswered"):
        page.goto(f"{path}{kind}/")
        wait_for_charts(page)
        for summary in page.locator("summary").all():
            summary.click()
        assert axe_by_day_and_night(page, widths=WIDTHS) == [], kind


def test_who_said_nothing_sees_a_way_on_and_what_was_expected(
    open_reader: Open, known: tuple[str, str]
) -> None:
    name, path = known
    page = log_in(open_reader(), name, f"{path}unanswered/")

    expect(page.locator(".card, [data-chart=timeline], [data-chart=answers]")).to_have_count(0)
    expect(page.get_by_text("There is nothing to measure yet")).to_be_visible()
    expect(page.get_by_role("heading", name="What was asked")).to_be_visible()
    expect(page.get_by_role("heading", name="Expected")).to_have_count(2)
    expect(page.get_by_text("Match 0")).to_have_count(0)
    page.get_by_role("link", name="Try again").click()
    expect(page).to_have_url(re.compile("/interviews/$"))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_live_page_is_accessible_in_every_state(open_reader: Open, width: int) -> None:
    reader = open_reader(width=width, bypass_csp=True)
    page = reader.page
    page.goto("/interviews/live/?questions=3&answer=voice")
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    assert axe_by_day_and_night(page) == []

    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Answer in writing").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("button", name="Answer now")).to_be_visible()
    assert axe_by_day_and_night(page) == []
    page.get_by_role("button", name="Answer now").click()
    page.get_by_label("Your answer").fill("Records about things, and the sides of these things.")
    assert axe_by_day_and_night(page) == []
    page.get_by_role("button", name="I’m done").click()
    expect(page.locator("[data-answered-list] li")).to_have_count(1, timeout=20_000)
    page.get_by_role("button", name="Finish", exact=True).click()
    assert axe_by_day_and_night(page) == []
    assert spill(reader) == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_pages_fit_into_the_window(open_reader: Open, known: tuple[str, str], width: int) -> None:
    name, path = known
    reader = open_reader(width=width)
    page = log_in(reader, name, "/interviews/")
    kinds = ("2", "silent", "unanswered")
    for place in ("/interviews/", *(f"{path}{kind}/" for kind in kinds), "/interviews/live/"):
        page.goto(place)
        wait_for_charts(page)
        assert spill(reader) == [], place


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_text_of_twice_the_size_fits_too(
    open_reader: Open, known: tuple[str, str], width: int
) -> None:
    name, path = known
    reader = open_reader(width=width, bypass_csp=True)
    page = log_in(reader, name, "/interviews/")
    for place in ("/interviews/", f"{path}2/", "/interviews/live/"):
        page.goto(place)
        page.add_style_tag(content="html { font-size: 200% !important; }")
        wait_for_charts(page)
        assert spill(reader) == [], place


@pytest.mark.parametrize(("width", "least"), [(1280, 2.0), (320, 1.0)])
def test_charts_grow_with_the_text_as_far_as_there_is_room(
    open_reader: Open, known: tuple[str, str], width: int, least: float
) -> None:
    name, path = known
    page = log_in(open_reader(width=width, bypass_csp=True), name, f"{path}2/")
    wait_for_charts(page)
    before = scales(page)

    page.add_style_tag(content="html { font-size: 200% !important; }")
    page.wait_for_function(
        """() => { const [svg] = document.querySelectorAll(".card-band svg");
          return svg.width.baseVal.value > svg.viewBox.baseVal.width * 1.5; }"""
    )

    assert set(before) == {1.0}
    assert all(least <= scale <= 2.0 for scale in scales(page))


def scales(page: Page) -> list[float]:
    """How many px of the page are one of each drawing."""
    found: list[float] = page.evaluate(
        """() => [...document.querySelectorAll(":is(.chart-place, .card-band) svg")].map((svg) =>
          Math.round(100 * svg.width.baseVal.value / svg.viewBox.baseVal.width) / 100)"""
    )
    return found


def test_charts_are_drawn_anew_for_another_width(open_reader: Open, known: tuple[str, str]) -> None:
    name, path = known
    page = log_in(open_reader(width=1280), name, f"{path}2/")
    chart = page.get_by_role("img", name=re.compile("^Speech and pauses in 4 answers"))
    wide = chart.bounding_box()

    page.set_viewport_size({"width": 320, "height": 700})
    page.wait_for_function(
        "() => document.querySelector('[data-chart=timeline] svg').clientWidth < 320"
    )
    narrow = chart.bounding_box()

    assert wide is not None
    assert narrow is not None
    assert wide["width"] > 900
    assert narrow["width"] <= 288


def test_kinds_of_marks_differ_in_more_than_colour(
    open_reader: Open, known: tuple[str, str]
) -> None:
    """Pauses are filled with lines, silence is dashed, and every series has a shape of its own."""
    name, path = known
    page = log_in(open_reader(), name, f"{path}2/")
    wait_for_charts(page)

    timeline = page.locator("[data-chart=timeline] .chart-place")
    fills = {
        kind: timeline.locator(selector).first.evaluate("one => getComputedStyle(one).fill")
        for kind, selector in {
            "speech": "rect.speech", "pause": "rect.pause:not(.long)", "long": "rect.pause.long",
        }.items()
    }  # fmt: skip
    assert fills["speech"].startswith("rgb")
    assert "url(" in fills["pause"]
    assert "url(" in fills["long"]
    assert len(set(fills.values())) == 3
    dashes = [
        timeline.locator(f"line.{kind}").first.evaluate(
            "one => getComputedStyle(one).strokeDasharray"
        )
        for kind in ("wait", "quiet")
    ]
    assert len(set(dashes)) == 2
    progress = page.locator("[data-chart=progress] .chart-place")
    shapes = {
        progress.locator(f"path.{kind}:not(.line)").first.get_attribute("d")
        for kind in ("first", "second", "third")
    }
    assert len(shapes) == 3


def test_a_result_prints_on_a4_with_its_tables_and_without_its_buttons(
    open_reader: Open, known: tuple[str, str]
) -> None:
    name, path = known
    reader = open_reader(width=A4_PX, color_scheme="dark")
    page = log_in(reader, name, f"{path}2/")
    wait_for_charts(page)

    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_role("link", name="Save as JSON")).to_be_hidden()
    expect(page.get_by_role("banner")).to_be_hidden()
    for table in page.locator("table").all():
        expect(table).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    widths = page.evaluate(
        "() => [...document.querySelectorAll('figure svg')].map((one) => one.clientWidth)"
    )
    assert max(widths) <= A4_PX - 2 * 57  # margins of 15 mm
    assert spill(reader) == []
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")

    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.locator("[data-figures] table").first).to_be_hidden()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_moves_for_readers_who_do_not_want_it(
    open_reader: Open, known: tuple[str, str], scheme: str
) -> None:
    name, path = known
    reader = open_reader(color_scheme=scheme, reduced_motion="reduce")
    page = log_in(reader, name, "/interviews/")
    for place in ("/interviews/", f"{path}2/", "/interviews/live/?answer=writing"):
        page.goto(place)
        if "live" in place:
            reach_the_turn(page)
        assert moving(page) == [], place


def test_results_can_be_read_without_scripts(open_reader: Open, known: tuple[str, str]) -> None:
    name, path = known
    reader = open_reader(java_script_enabled=False)
    page = log_in(reader, name, f"{path}2/")

    assert [table.is_visible() for table in page.locator("table").all()] == [True, True, True]
    page.goto("/interviews/live/")
    # Chromium leaves <noscript> out of what it shows when scripts are switched off by a debugger.
    assert "An interview needs JavaScript" in page.content()


@pytest.mark.parametrize("place", ["/interviews/", "/interviews/live/?answer=writing"])
def test_touch_targets_of_a_phone_are_large_enough(open_reader: Open, place: str) -> None:
    reader = open_reader(width=320, has_touch=True, is_mobile=True)
    page = reader.page
    page.goto(place)
    if "live" in place:
        reach_the_turn(page)

    for target in page.locator("main button:visible, main .option:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44, target.evaluate("(one) => one.outerHTML")


def test_a_reader_deletes_an_own_interview(open_reader: Open, site: Server) -> None:
    name = f"forgetful{next(_names)}"
    keep(site, name, [spoken_result(session_id=f"{name}-1")])
    page = log_in(open_reader(), name, f"/interviews/{name}-1/")

    page.get_by_text("Delete this interview").click()
    page.get_by_role("button", name="Delete it").click()

    page.wait_for_url("**/interviews/")
    expect(page.get_by_text("None yet.")).to_be_visible()
