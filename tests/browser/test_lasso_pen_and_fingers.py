"""The lasso, and what pen and fingers do on the labelling page, as Chromium's own input events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import CDPSession, Page

from tests.fixtures.labelling_page import SIZE, patch_id, saved, shown
from tests.fixtures.labelling_server import Client

Opened = Callable[..., Page]
At = tuple[float, float]  # y, x in pixels of the patch
UNPAINTED = 255  # as it is stored where unpainted means "not labelled"


def on_screen(page: Page, at: At) -> tuple[float, float]:
    """Where a place of the patch is in the window, x before y, CSS pixels."""
    canvas = page.locator("#canvas")
    box = canvas.bounding_box()
    assert box
    left, top, scale = view(page)
    return box["x"] + left + at[1] * scale, box["y"] + top + at[0] * scale


def view(page: Page) -> tuple[float, float, float]:
    """Left, top and scale of the patch on the canvas, CSS pixels."""
    shown(page)
    canvas = page.locator("#canvas")
    left, top, scale = (float(canvas.get_attribute(f"data-{n}") or "nan") for n in ("left", "top", "scale"))
    return left, top, scale


def drag(page: Page, *way: At) -> None:
    """With the left button held from place to place."""
    page.mouse.move(*on_screen(page, way[0]))
    page.mouse.down()
    for at in way[1:]:
        page.mouse.move(*on_screen(page, at), steps=4)
    page.mouse.up()


def around(top: int, left: int, bottom: int, right: int) -> list[At]:
    """Along the borders of a box, and not quite back to the start."""
    return [(top, left), (top, right), (bottom, right), (bottom, left)]


def mask(client: Client, page: Page) -> NDArray[np.uint8]:
    """What the server has of the patch on the page, once it has everything."""
    saved(page)
    return client.pixels(patch_id(page), "mask", (SIZE, SIZE))


def revision(page: Page, number: int) -> None:
    """Wait until the server has saved so many times."""
    page.wait_for_selector(f"body[data-revision='{number}'][data-saved=yes]")


def test_the_lasso_adds_and_takes_away_one_colour_and_leaves_the_others(
    client: Client, open_page: Opened
) -> None:
    page = open_page(client)
    page.keyboard.press("w")  # what is unpainted is then told from background
    wanted = np.full((SIZE, SIZE), UNPAINTED, np.uint8)
    for key in ("j", "0"):
        page.keyboard.press(key)
    drag(page, *around(4, 4, 12, 12))
    wanted[4:12, 4:12] = 0
    revision(page, 2)
    np.testing.assert_array_equal(mask(client, page), wanted)
    page.keyboard.press("1")
    drag(page, *around(2, 2, 20, 20))
    wanted[2:20, 2:20] = np.where(wanted[2:20, 2:20] == UNPAINTED, 1, wanted[2:20, 2:20])
    revision(page, 3)
    np.testing.assert_array_equal(mask(client, page), wanted)
    added = wanted.copy()
    page.keyboard.down("Alt")
    drag(page, *around(8, 8, 16, 16))
    page.keyboard.up("Alt")
    wanted[8:16, 8:16] = np.where(wanted[8:16, 8:16] == 1, UNPAINTED, wanted[8:16, 8:16])
    revision(page, 4)
    np.testing.assert_array_equal(mask(client, page), wanted)
    page.keyboard.press("u")  # one step
    revision(page, 5)
    np.testing.assert_array_equal(mask(client, page), added)
    page.keyboard.press("r")
    page.keyboard.down("Shift")
    drag(page, *around(6, 6, 24, 24))
    page.keyboard.up("Shift")
    wanted[6:24, 6:24] = np.where(wanted[6:24, 6:24] == UNPAINTED, 1, wanted[6:24, 6:24])
    revision(page, 7)
    np.testing.assert_array_equal(mask(client, page), wanted)


class Hand:
    """Fingers and a pen on the patch of a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._device: CDPSession = page.context.new_cdp_session(page)

    def fingers(self, kind: str, *places: At) -> None:
        """`kind` touchStart, touchMove, touchEnd; `places` of all fingers that are on the screen then."""
        points = [on_screen(self._page, at) for at in places]
        self.touch(kind, *points)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """The same at points of the window, x before y."""
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def pen(self, kind: str, at: At) -> None:
        """`kind` mousePressed, mouseMoved, mouseReleased: so Chromium calls them."""
        x, y = on_screen(self._page, at)
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        self._device.send("Input.dispatchMouseEvent", event | {"pointerType": "pen", "force": 0.1})


def test_one_finger_paints_and_two_move_and_zoom_without_a_stroke(client: Client, open_page: Opened) -> None:
    page = open_page(client, has_touch=True)
    hand = Hand(page)
    hand.fingers("touchStart", (10, 4))
    hand.fingers("touchMove", (10, 16))
    hand.fingers("touchStart", (10, 16), (26, 26))  # too late for two fingers: the stroke goes on
    hand.fingers("touchMove", (10, 28), (26, 16))
    hand.touch("touchEnd")
    revision(page, 1)
    painted = mask(client, page)
    assert painted[10, 4:28].all()
    assert not painted[20:].any()

    scale = view(page)[2]
    one, other = on_screen(page, (12, 12)), on_screen(page, (20, 20))
    hand.touch("touchStart", one)
    hand.touch("touchStart", one, other)
    for step in range(1, 9):  # twice as far apart, around a middle that stays
        far = [
            (x + step * sign * 4 * scale / 8, y + step * sign * 4 * scale / 8)
            for (x, y), sign in ((one, -1), (other, 1))
        ]
        hand.touch("touchMove", *far)
    assert np.isclose(view(page)[2], 2 * scale)
    assert np.allclose(on_screen(page, (16, 16)), np.mean([one, other], axis=0), atol=scale / 4)
    hand.touch("touchMove", far[0])  # one of them lifted: the other paints nothing
    hand.touch("touchMove", (far[0][0] + 60, far[0][1]))
    hand.touch("touchEnd")
    assert view(page)[2] == round(view(page)[2])
    np.testing.assert_array_equal(mask(client, page), painted)
    assert page.locator("body").get_attribute("data-revision") == "1"


def test_a_tool_that_works_at_a_tap_does_nothing_under_two_fingers(client: Client, open_page: Opened) -> None:
    page = open_page(client, has_touch=True)
    page.keyboard.press("f")
    hand = Hand(page)
    hand.fingers("touchStart", (12, 12))
    hand.fingers("touchStart", (12, 12), (20, 20))
    hand.fingers("touchMove", (10, 10), (22, 22))
    hand.touch("touchEnd")
    assert page.locator("#undo").is_disabled()
    hand.fingers("touchStart", (12, 12))
    hand.touch("touchEnd")
    revision(page, 1)
    assert mask(client, page)[12, 12] == 1


def test_a_palm_does_nothing_while_the_pen_paints_and_fingers_then_move_the_patch(
    client: Client, open_page: Opened
) -> None:
    page = open_page(client, has_touch=True)
    hand = Hand(page)
    hand.pen("mousePressed", (8, 4))
    hand.pen("mouseMoved", (8, 12))
    hand.fingers("touchStart", (28, 28))  # the palm
    hand.fingers("touchMove", (28, 20))
    hand.pen("mouseMoved", (8, 24))
    hand.touch("touchEnd")
    hand.pen("mouseReleased", (8, 24))
    revision(page, 1)
    painted = mask(client, page)
    assert painted[8, 4:24].all()
    assert not painted[20:].any()
    left, top, scale = view(page)
    start = on_screen(page, (20, 20))
    hand.touch("touchStart", start)
    hand.touch("touchMove", (start[0] + 5, start[1]))  # it rests, no more
    assert view(page) == (left, top, scale)
    hand.touch("touchMove", (start[0] + 50, start[1] - 30))
    hand.touch("touchEnd")
    assert view(page) == (left + 50, top - 30, scale)
    np.testing.assert_array_equal(mask(client, page), painted)
    assert page.locator("body").get_attribute("data-revision") == "1"
