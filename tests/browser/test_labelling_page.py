"""The labelling page in a real browser, against the real server: mouse, keys, reload, a server that dies."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from playwright.sync_api import Browser, Page

from pickem.project import rounds
from pickem.project.leases import LASTS
from pickem.project.project import open_project
from pickem.project.quality import write_quality
from pickem.project.store import Store
from pickem.project.uncertainty import write_uncertainties
from tests.fixtures.labelling_page import (
    LIMIT,
    SIZE,
    click_on,
    foreground,
    next_after,
    patch_id,
    pixel,
    saved,
    shown,
    stroke,
)
from tests.fixtures.labelling_server import (
    TOKEN,
    Client,
    LabelCommand,
    answering,
    application,
    serving,
    wait_until,
)
from tests.fixtures.tiny_project import damage_section, make_tiny_project, selection


def test_a_stroke_is_saved_when_it_ends_and_submitting_brings_the_next_patch(
    client: Client, open_page: Callable[[Client], Page]
) -> None:
    page = open_page(client)
    first = patch_id(page)
    stroke(page)
    page.wait_for_selector("body[data-revision='1'][data-saved=yes]")
    painted = foreground(client, first)
    assert painted > 0
    page.locator("#submit").click()
    assert next_after(page, first) != first
    saved(page)
    assert client.read(f"patches/{first}")["state"] == "submitted"
    assert foreground(client, first) == painted


def test_undo_and_redo_reach_the_server(client: Client, open_page: Callable[[Client], Page]) -> None:
    page = open_page(client)
    number = patch_id(page)
    stroke(page)
    page.wait_for_selector("body[data-revision='1'][data-saved=yes]")
    painted = foreground(client, number)
    page.keyboard.press("Control+z")
    page.wait_for_selector("body[data-revision='2'][data-saved=yes]")
    assert foreground(client, number) == 0
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_selector("body[data-revision='3'][data-saved=yes]")
    assert foreground(client, number) == painted


def test_reloaded_in_mid_stroke_the_strokes_before_it_are_there(
    client: Client, open_page: Callable[[Client], Page]
) -> None:
    page = open_page(client)
    number = patch_id(page)
    stroke(page)
    page.wait_for_selector("body[data-revision='1'][data-saved=yes]")
    painted = foreground(client, number)
    stroke(page, release=False)
    page.reload()
    page.wait_for_selector(f"body[data-patch-id='{number}']")
    saved(page)
    assert foreground(client, number) >= painted
    assert page.locator("#undo").is_visible()


def test_with_the_keyboard_alone(client: Client, open_page: Callable[[Client], Page]) -> None:
    page = open_page(client)
    first = patch_id(page)
    page.keyboard.press("n")  # nothing here
    second = next_after(page, first)
    page.keyboard.press("s")  # skip
    third = next_after(page, second)
    page.keyboard.press("Enter")
    fourth = next_after(page, third)
    page.keyboard.press("b")  # back
    assert next_after(page, fourth) == third
    saved(page)
    states = [client.read(f"patches/{number}")["state"] for number in (first, second, third)]
    assert states == ["submitted", "skipped", "submitted"]
    assert (client.pixels(first, "mask", (SIZE, SIZE)) == 0).all()


def test_settings_and_view_by_the_keyboard_alone(client: Client, open_page: Callable[[Client], Page]) -> None:
    page = open_page(client)

    def told(setting: str) -> float:
        return float(page.locator(setting).input_value())

    for setting, more, less in [
        ("[data-setting=size]", "]", "["),
        ("[data-setting=tolerance]", "}", "{"),
        ("[data-setting=opacity]", ">", "<"),
        ("[data-contrast=black]", "Shift+ArrowRight", "Shift+ArrowLeft"),
        ("[data-contrast=white]", "Shift+ArrowUp", "Shift+ArrowDown"),
    ]:
        for _ in range(3):
            page.keyboard.press(less)
        low = told(setting)
        page.keyboard.press(more)
        high = told(setting)
        assert low < high, setting
        page.keyboard.press(less)
        assert told(setting) == low, setting
        for _ in range(100):
            page.keyboard.press(less)
        assert told(setting) == float(page.locator(setting).get_attribute("min") or "nan"), setting
    assert page.locator("[data-toggle=autoContrast]").get_attribute("aria-pressed") == "false"

    def corner() -> tuple[float, float]:
        shown(page)
        left, top = (page.locator("#canvas").get_attribute(f"data-{side}") for side in ("left", "top"))
        return float(left or "nan"), float(top or "nan")

    start = corner()
    page.keyboard.press("ArrowRight")  # what is farther right comes in: the patch goes left
    right = corner()
    assert (right[0] < start[0], right[1]) == (True, start[1])
    page.keyboard.press("ArrowDown")
    down = corner()
    assert (down[0], down[1] < start[1]) == (right[0], True)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert corner() == start


def test_a_slider_in_focus_keeps_its_arrow_keys(client: Client, open_page: Callable[[Client], Page]) -> None:
    page = open_page(client)
    size = page.locator("[data-setting=size]")
    size.focus()
    before = int(size.input_value())
    page.keyboard.press("ArrowRight")
    assert int(size.input_value()) == before + 1
    size.click()  # with the mouse, the keys are the patch's again
    assert page.evaluate("document.activeElement.id") == "canvas"


def test_every_key_means_one_thing_and_every_button_is_in_the_help(
    client: Client, open_page: Callable[[Client], Page]
) -> None:
    page = open_page(client)
    page.keyboard.press("?")
    keys = page.locator("#help section:not(:last-child) kbd").all_inner_texts()
    assert len(keys) == len(set(keys)) > 40
    page.keyboard.press("?")
    on_buttons = page.locator("[data-command] > kbd").all_inner_texts()
    assert set(on_buttons) <= set(keys)


def test_help_lists_the_keys_and_closes(client: Client, open_page: Callable[[Client], Page]) -> None:
    page = open_page(client)
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    assert "Undo" in page.locator("#help").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


def test_local_contrast_is_a_way_of_looking_and_changes_nothing(
    client: Client, open_page: Callable[[Client], Page]
) -> None:
    page = open_page(client)
    before = shown(page)
    page.keyboard.press("k")
    page.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before", arg=before)
    assert page.locator("[data-toggle=localContrast]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("k")
    page.wait_for_function("before => document.querySelector('canvas').toDataURL() === before", arg=before)
    assert client.read("history") == []


@pytest.mark.parametrize("size", [(96, 160), (50, 75), (7, 5)])
def test_local_contrast_is_clahe(
    client: Client, open_page: Callable[[Client], Page], size: tuple[int, int]
) -> None:
    """Against a second implementation, that knows of no tile's neighbours in advance."""
    height, width = size
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(np.linspace(20, 200, width), 6, size), 0, 255).astype(np.uint8)
    page = open_page(client)
    made = page.evaluate(
        "async ([image, width, height]) => { const { equalised } = await import('/static/canvas/clahe.js');"
        " return [...equalised(Uint8Array.from(image), width, height)]; }",
        [image.ravel().tolist(), width, height],
    )
    assert np.abs(np.reshape(made, size) - clahe(image, tile=32, limit=3)).max() <= 1
    flat = page.evaluate(
        "async () => { const { equalised } = await import('/static/canvas/clahe.js');"
        " return [...equalised(new Uint8Array(64 * 64).fill(100), 64, 64)]; }"
    )
    assert len(set(flat)) == 1


def clahe(image: np.ndarray, tile: int, limit: float) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation, a pixel at a time; (h, w) uint8 → (h, w) float."""
    counts = [max(1, round(side / tile)) for side in image.shape]
    edges = [
        [round(n * side / count) for n in range(count + 1)]
        for side, count in zip(image.shape, counts, strict=True)
    ]
    curves = np.empty((*counts, 256))
    for row in range(counts[0]):
        for column in range(counts[1]):
            (top, bottom), (left, right) = edges[0][row : row + 2], edges[1][column : column + 2]
            share = np.bincount(image[top:bottom, left:right].ravel(), minlength=256) / (
                (bottom - top) * (right - left)
            )
            clipped = np.minimum(share, limit / 256)
            clipped += (1 - clipped.sum()) / 256
            curves[row, column] = 255 * (np.cumsum(clipped) - clipped / 2)
    result = np.empty(image.shape)
    for (y, x), value in np.ndenumerate(image):
        result[y, x] = sum(
            weight_y * weight_x * curves[row, column, value]
            for row, weight_y in weights(y, image.shape[0], counts[0])
            for column, weight_x in weights(x, image.shape[1], counts[1])
        )
    return result


def weights(at: int, length: int, tiles: int) -> list[tuple[int, float]]:
    """How much each tile along an axis counts for a pixel: by its middle's distance, flat at the borders."""
    place = np.clip((at + 0.5) * tiles / length - 0.5, 0, tiles - 1)
    return [(n, max(0.0, 1 - abs(n - place))) for n in range(tiles)]


def test_unpainted_can_mean_not_labelled(client: Client, open_page: Callable[[Client], Page]) -> None:
    page = open_page(client)
    number = patch_id(page)
    stroke(page)
    page.locator("#unpainted").click()
    page.locator("#submit").click()
    next_after(page, number)
    saved(page)
    mask = client.pixels(number, "mask", (SIZE, SIZE))
    assert set(np.unique(mask)) == {1, 255}


def test_two_windows_do_not_overwrite_each_other(client: Client, open_page: Callable[[Client], Page]) -> None:
    one = open_page(client)
    number = patch_id(one)
    other = one.context.new_page()  # of the same browser: the same annotator, and nobody is asked for a name
    other.set_default_timeout(LIMIT)
    other.goto(client.address)
    other.wait_for_selector(f"body[data-patch-id='{number}']")
    stroke(one)
    one.wait_for_selector("body[data-revision='1'][data-saved=yes]")
    painted = foreground(client, number)
    other.keyboard.press("e")
    stroke(other)  # erasing on an empty mask, on top of a revision that is no longer the newest
    other.wait_for_timeout(1500)
    assert foreground(client, number) == painted


def come_in(browser: Browser, client: Client, name: str) -> Page:
    """Open the page in a browser that has no name yet, and give one."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(LIMIT)
    page.goto(f"{client.address}/?token={TOKEN}")
    page.wait_for_selector("#who[open]")
    page.keyboard.press("Enter")
    assert "Any name" in page.locator("#who-note").inner_text()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-patch-id]")
    return page


def test_two_annotators_paint_different_patches_and_see_each_others_names(
    client: Client, browser: Browser, open_page: Callable[[Client], Page]
) -> None:
    one = open_page(client)  # alone: not asked
    assert one.locator("#annotator").is_hidden()
    ben = come_in(browser, client, "Ben Okri")
    first, bens = patch_id(one), patch_id(ben)
    assert first != bens
    stroke(ben)
    ben.wait_for_selector("body[data-revision='1'][data-saved=yes]")
    ben.keyboard.press("Enter")
    then = next_after(ben, bens)
    saved(ben)
    one.wait_for_function("() => document.querySelector('#progress').textContent.includes('by Ben Okri')")
    one.keyboard.press("n")
    second = next_after(one, first)
    saved(one)
    assert len({first, bens, then, second}) == 4
    one.wait_for_function("() => document.querySelector('#earlier').textContent.includes('Ben Okri')")
    entries = {entry["id"]: entry["annotator"] for entry in client.read("history")}
    assert entries == {first: "me", bens: "Ben Okri"}
    ben.reload()  # the name is kept, and so is the patch
    ben.wait_for_selector(f"body[data-patch-id='{then}']")
    assert ben.locator("#annotator").inner_text() == "Ben Okri"
    ben.context.close()


def test_a_name_is_changed_while_painting(
    client: Client, browser: Browser, open_page: Callable[[Client], Page]
) -> None:
    one = open_page(client)
    number = patch_id(one)
    stroke(one)
    one.wait_for_selector("body[data-revision='1'][data-saved=yes]")
    ben = come_in(browser, client, "Ben")
    one.locator("#annotator").click()
    one.keyboard.type("Ben")
    one.keyboard.press("Enter")
    assert "Ben is at work now" in one.locator("#who-note").inner_text()
    one.keyboard.press("Control+a")
    one.keyboard.type("Ana n 1")  # no key of the page
    one.keyboard.press("Enter")
    one.wait_for_selector("#who", state="hidden")
    assert patch_id(one) == number
    one.keyboard.press("Enter")
    next_after(one, number)
    saved(one)
    assert client.read(f"patches/{number}")["state"] == "submitted"
    assert client.read("history")[0]["annotator"] == "Ana n 1"
    ben.context.close()


def test_who_comes_back_late_is_given_the_next_patch(
    project: Path, browser: Browser, open_page: Callable[[Client], Page]
) -> None:
    at = [datetime.now(UTC)]
    with serving(project, clock=lambda: at[0]) as client:
        one = open_page(client)
        one.clock.install()  # from the next load on
        one.reload()
        one.wait_for_selector("body[data-patch-id]")
        number = patch_id(one)
        one.clock.fast_forward(60 * 60_000)  # away, and no sign
        at[0] += LASTS
        assert client.named("Ben").read("next")["id"] == number
        for x in (600, 620):  # the hand moves, and the page tells it soon
            one.mouse.move(x, 400)
            one.clock.fast_forward(10_000)
        next_after(one, number)
        assert "Ben went on" in one.locator("#hint").inner_text()
        client.named("Ben").save(client.read(f"patches/{number}"))
        one.keyboard.press("n")
        entry = one.locator(f"[data-earlier='{number}']")
        entry.wait_for(state="attached")
        assert "Ben" in entry.inner_text()
        one.close()


def test_the_server_dies_while_painting_and_nothing_is_lost(
    project: Path, open_page: Callable[[Client], Page]
) -> None:
    with LabelCommand(project, "--port", 0) as command:
        client = command.client()
        page = open_page(client)
        number = patch_id(page)
        stroke(page)
        page.wait_for_selector("body[data-revision='1'][data-saved=yes]")
        painted = foreground(client, number)
        port = client.port
    page.keyboard.press("[")  # a thinner brush
    page.keyboard.press("0")  # in the colour of the background, across the first stroke
    stroke(page)
    page.wait_for_selector("#banner:not([hidden])")
    with LabelCommand(project, "--port", port) as command:
        client = command.client()
        page.wait_for_selector("body[data-saved=yes]")
        assert 0 < foreground(client, number) < painted
        page.wait_for_selector("#banner", state="hidden")


def test_a_proposal_is_taken_over_and_control_patches_have_none(
    project: Path, open_page: Callable[[Client], Page]
) -> None:
    with LabelCommand(project, "--port", 0) as command:
        client = command.client()
        page = open_page(client)
        with open_project(project) as opened:
            wanted = opened.settings.first_patches
        while client.read("project")["progress"]["labelled"] < wanted:
            client.paint(1)
        page.wait_for_function(
            "() => document.getElementById('network').textContent.includes('labelled')"
            " || /[0-9]+ patch/.test(document.getElementById('network').textContent)"
        )
        while (patch := client.read("next"))["proposed_by"] is None:
            if patch["kind"] == "audit":
                page.goto(client.address)  # and not to the patch at hand
                page.wait_for_selector(f"body[data-patch-id='{patch['id']}']")
                assert page.locator("#take-all").is_disabled()
                assert page.locator("#kind").is_visible()
                client.paint(1)
        page.goto(client.address)
        page.wait_for_selector(f"body[data-patch-id='{patch['id']}']")
        proposal = client.pixels(patch["id"], "proposal", (SIZE, SIZE))
        page.wait_for_function("() => !document.getElementById('take-all').disabled")
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        next_after(page, patch["id"])
        saved(page)
        assert (client.pixels(patch["id"], "mask", (SIZE, SIZE)) == proposal).all()
        turn = client.read("project")["progress"]["course"][-1]
        assert (turn["changed"], turn["proposals"]) == (0 if proposal.any() else None, 1)


def finished_round(store: Store) -> int:
    """A round that is over, of a network that no test looks at."""
    number = rounds.begin_round(store).number
    rounds.finish_round(store, number, f"round-{number:04d}.safetensors", 0.1, 1.0)
    return number


def test_one_object_of_the_proposal_is_taken_with_a_click(
    client: Client, project: Path, open_page: Callable[[Client], Page]
) -> None:
    proposal = np.zeros((SIZE, SIZE), np.uint8)
    proposal[4:10, 4:10] = proposal[20:28, 18:30] = 1
    with Store(project / "project.sqlite") as store:
        patch = store.queue()[0].stored.patch
        store.replace_queue(selection([patch]), finished_round(store), {patch: proposal})
    page = open_page(client)
    number = patch_id(page)
    page.keyboard.press("t")
    click_on(page, 24, 24)
    page.wait_for_selector("body[data-revision='1'][data-saved=yes]")
    proposal[:12] = 0  # the other object
    np.testing.assert_array_equal(client.pixels(number, "mask", (SIZE, SIZE)), proposal)
    click_on(page, 24, 24)  # and returned with another
    page.wait_for_selector("body[data-revision='2'][data-saved=yes]")
    assert foreground(client, number) == 0


def test_the_heat_map_shows_where_the_network_is_unsure_and_never_on_control_patches(
    client: Client, project: Path, open_page: Callable[[Client], Page]
) -> None:
    levels = np.repeat(np.arange(0, 256, 256 // SIZE, dtype=np.uint8)[None], SIZE, axis=0)
    with Store(project / "project.sqlite") as store:
        query, audit = store.queue()[0].stored.patch, store.open_audit()[0]
        both = query, audit.patch
        at, proposal = finished_round(store), np.zeros((SIZE, SIZE), np.uint8)
        store.replace_queue(selection([query]), at, dict.fromkeys(both, proposal))
        write_uncertainties(store, at, dict.fromkeys(both, levels))
    page = open_page(client)
    before = shown(page)
    assert page.locator("#legend").is_hidden()
    page.keyboard.press("y")
    page.locator("#legend").wait_for()

    def is_heated() -> bool:  # the legend is there a frame before the map
        left, middle, right = (int(pixel(page, SIZE // 2, x).sum()) for x in (1, SIZE // 2, SIZE - 2))
        return left < middle < right

    wait_until(is_heated, "the heat map")
    page.goto("about:blank")  # and then afresh: only the hash would change
    page.goto(f"{client.address}/#patch-{audit.id}")
    page.wait_for_selector(f"body[data-patch-id='{audit.id}'][data-kind=audit]")
    blind = shown(page)
    page.keyboard.press("y")
    assert page.locator("#legend").is_hidden()
    assert page.locator("[data-toggle=uncertainty]").is_disabled()
    assert shown(page) == blind != before


def test_the_colours_of_the_heat_map_are_inferno(client: Client, open_page: Callable[[Client], Page]) -> None:
    made = open_page(client).evaluate(
        "async () => { const { heatOf } = await import('/static/canvas/heat.js');"
        " return Array.from({ length: 256 }, (_, level) => heatOf(level)); }"
    )
    wanted = 255 * colormaps["inferno"](np.arange(256))[:, :3]
    assert np.abs(np.array(made) - wanted).max() < 8  # of 255; drawn from 17 of them


def test_the_quality_on_control_patches_is_shown_when_it_is_known(
    client: Client, project: Path, open_page: Callable[[Client], Page]
) -> None:
    page = open_page(client)
    assert "Not known yet" in page.locator("#quality").inner_text()
    with Store(project / "project.sqlite") as store:
        for number, patch in enumerate(store.open_audit()[:2]):
            client.save(client.read(f"patches/{patch.id}"), np.full((SIZE, SIZE), number, np.uint8))
        empty, full = (stored.id for stored in store.submitted("audit"))
        at = finished_round(store)
        with store.change():
            counts = {empty: np.array([[0, 0, 100]]), full: np.array([[924, 1024, 924]])}
            rounds.write_audit(store, at, counts, rounds.last_audit_revision(store))
            write_quality(store, at)
    page.wait_for_selector("#quality .number")
    assert page.locator("#quality .number").inner_text() == "0.82"  # 924 of 1124 pixels
    assert "on 2 control patches" in page.locator("#quality").inner_text()
    assert "No advice yet: 2 of the 30 control patches" in page.locator("#advice").inner_text()


def test_the_page_says_how_long_a_patch_takes_and_which_control_patches_were_skipped(
    tmp_path: Path, open_page: Callable[[Client], Page]
) -> None:
    with serving(make_tiny_project(tmp_path, first_patches=24)) as client:
        page = open_page(client)
        assert "a patch takes" not in page.locator("#progress").inner_text()
        client.paint(20)
        page.wait_for_function(
            "() => document.querySelector('#progress').textContent.includes('a patch takes you')"
        )
        told = page.locator("#progress").inner_text().split("\n")
        assert told[told.index("a patch takes you") + 1] in ("1 s", "2 s")  # 1.5
        assert told[told.index("the next 20, about") + 1] == "30 s"
        skipped = page.locator("#skipped-controls")
        assert skipped.is_hidden()
        show = (
            "async (news) => { const { showNews } = await import('/static/news.js'); showNews(news, 'me'); }"
        )
        news = client.read("project")["progress"]
        page.evaluate(show, news | {"audit_skipped": 2})
        assert "2 control patches were skipped" in skipped.inner_text()


def fill(client: Client, number: int) -> None:
    """Save masks of a patch until there is no room for another one."""
    for revision in itertools.count():
        url = f"/api/patches/{number}/mask?revision={revision}&state=submitted"
        answer = client.ask("PUT", url, data=bytes(SIZE * SIZE))
        if answer.status_code != 200:
            assert answer.status_code == 507
            return


def test_on_a_full_disk_the_strokes_wait_in_the_browser(
    project: Path, open_page: Callable[[Client], Page]
) -> None:
    with application(project) as app, answering(app) as client:
        page = open_page(client)
        number = patch_id(page)
        with app.state.desk.project.store.change() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        fill(client, app.state.desk.project.store.open_audit()[0].id)
        stroke(page)
        page.wait_for_selector("#banner:not([hidden])")
        assert "The disk is full" in page.locator("#banner").inner_text()
        assert page.locator("body").get_attribute("data-saved") == "no"
        assert foreground(client, number) == 0
        connection.execute("PRAGMA max_page_count = 1000000")
        saved(page)
        assert foreground(client, number) > 0
        assert not page.locator("#banner").is_visible()


def test_a_patch_whose_image_cannot_be_read_can_be_skipped(
    project: Path, open_page: Callable[[Client], Page]
) -> None:
    with open_project(project) as opened:
        first, second = (queued.stored for queued in opened.store.queue()[:2])
    damage_section(project.parent / "discs.tif", first.patch.z)
    with serving(project) as client:
        page = open_page(client)
        page.wait_for_selector("#banner:not([hidden])")
        page.keyboard.press("s")
        assert client.read("history") == []
        page.get_by_role("button", name="Skip this patch").click()
        page.wait_for_selector(f"body[data-patch-id='{second.id}']")
        assert not page.locator("#banner").is_visible()
        assert [(each["id"], each["state"]) for each in client.read("history")] == [(first.id, "skipped")]


def test_a_server_started_again_gets_the_strokes_once_its_new_address_is_opened(
    project: Path, open_page: Callable[[Client], Page]
) -> None:
    with serving(project) as client:
        page = open_page(client)
        number = patch_id(page)
    stroke(page)
    page.wait_for_selector("#banner:not([hidden])")
    with serving(project, port=client.port, token="another") as again:
        page.locator("#banner button").click()  # try now
        page.wait_for_function("() => document.getElementById('banner').textContent.includes('the token')")
        assert page.locator("body").get_attribute("data-saved") == "no"
        other = page.context.new_page()
        other.goto(f"{again.address}/?token=another")
        other.wait_for_selector("body[data-patch-id]")
        saved(page)
        assert foreground(again, number) > 0


def test_strokes_of_a_project_do_not_reach_another_of_the_same_name(
    project: Path, tmp_path: Path, open_page: Callable[[Client], Page]
) -> None:
    with serving(project) as client:
        page = open_page(client)
    stroke(page)
    page.wait_for_selector("#banner:not([hidden])")
    browser = page.context
    page.close()
    with serving(make_tiny_project(tmp_path / "other"), port=client.port) as client:
        page = browser.new_page()
        page.goto(client.address)
        page.wait_for_selector("body[data-patch-id]")
        saved(page)
        assert client.read("history") == []
