"""The page of the WebSocket output, in a real browser."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_live.base.colors import EXPRESSION_COLORS, OWN_COLORS, expression_hex
from fer_live.base.translation import set_language
from fer_live.datatypes import FrameResult
from fer_live.outputs._dashboard import dashboard
from fer_live.outputs._websocket_server import WebSocketSink
from fer_live.outputs.address import Address
from tests.helpers.browser import Browser, browser
from tests.helpers.contrast import contrast, over
from tests.helpers.results import LABELS, result

PAGES = Path(__file__).parents[3] / "fer_live"


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


class Live:
    """A server that sends what `faces` says, thirty times a second."""

    def __init__(self) -> None:
        self.shown = result(0, 0.0, happy=0.9, n_faces=2)
        self._end = threading.Event()
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self.sink = WebSocketSink(Address("127.0.0.1", self.port), LABELS)
        self._end.clear()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        while not self._end.wait(0.03):
            self.sink.write("camera 0", self.shown)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        self.sink.close()


@pytest.fixture
def live() -> Iterator[Live]:
    live = Live()
    yield live
    live.stop()


@pytest.fixture
def page(live: Live, tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile") as page:
        page.open(f"http://127.0.0.1:{live.port}/")
        yield page


def unsure(shown: FrameResult) -> FrameResult:
    faces = [replace(f, shown_label="", shown_confidence=None) for f in shown.faces]
    return replace(shown, faces=tuple(replace(face, quality_reason="dark") for face in faces))


def cards(page: Browser) -> list[str]:
    return page.run("[...document.querySelectorAll('article')].map(card => card.innerText)")


def test_every_face_has_a_card_with_its_label_bars_and_figures(page: Browser, live: Live):
    page.wait_for("document.querySelectorAll('article').length === 2")
    page.wait_for("document.querySelector('.says').textContent === 'happiness 90 %'")
    assert [card.split("\n")[0] for card in cards(page)] == ["face 1", "face 2"]
    assert re.search(r"neutral\s+10 %\s+happiness\s+90 %", cards(page)[0])
    widths = page.run("[...document.querySelectorAll('.bar span')].map(bar => bar.style.width)")
    assert [float(width.rstrip("%")) for width in widths] == pytest.approx([10, 90, 10, 90])
    style = "getComputedStyle(document.querySelectorAll('.bar span')[1]).backgroundColor"
    red, green, blue = bytes.fromhex(expression_hex("happiness")[1:])
    assert page.run(style) == f"rgb({red}, {green}, {blue})"
    live.shown = unsure(live.shown)
    page.wait_for("document.querySelector('.says').textContent === 'unsure'")
    assert "turn to the light" in cards(page)[0]
    live.shown = replace(live.shown, faces=())
    page.wait_for("document.querySelector('.says').textContent === 'out of view'")
    assert page.errors == [], "neither a mistake in the script nor anything against the policy"


def test_the_history_is_drawn_in_the_colours_and_classes_are_switched(page: Browser):
    color = "#" + "".join(f"{int(part):02x}" for part in bytes.fromhex("f2c641"))
    assert color == expression_hex("happiness")
    painted = """[...document.querySelectorAll('.history canvas')].some(canvas => {
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        for (let k = 0; k < data.length; k += 4)
            if (data[k] === 0xf2 && data[k + 1] === 0xc6 && data[k + 2] === 0x41) return true;
        return false; })"""
    page.wait_for(painted)
    page.run("document.querySelectorAll('#legend button')[1].click()")
    assert page.run("document.querySelectorAll('#legend button')[1].ariaPressed") == "false"
    page.wait_for(f"!({painted})")
    page.run("document.querySelectorAll('#legend button')[1].click()")
    page.wait_for(painted)


def test_it_says_when_the_app_is_gone_and_connects_again(page: Browser, live: Live):
    page.wait_for("document.getElementById('state').classList.contains('connected')")
    assert page.run("document.getElementById('state-text').textContent") == "Connected: camera 0"
    live.stop()
    page.wait_for("document.getElementById('state').innerText.includes('Not connected')")
    assert not page.run("document.getElementById('retry').hidden")
    live.start()
    page.run("document.getElementById('retry').click()")
    page.wait_for("document.getElementById('state').classList.contains('connected')")


def test_it_says_when_nothing_arrives(page: Browser, live: Live):
    page.wait_for("document.getElementById('state').classList.contains('connected')")
    live._end.set()
    page.wait_for("document.getElementById('state-text').textContent.includes('no pictures')")


def test_a_test_message_shows_and_other_messages_change_nothing(page: Browser, live: Live):
    page.wait_for("document.querySelectorAll('article').length === 2")
    for odd in ({"schema": 9, "marker": "a joke", "faces": []}, {"faces": None}, {"a": 1}):
        live.sink._send(json.dumps(odd))
    page.wait_for("document.getElementById('markers').innerText.includes('a joke')")
    answer = live.sink.send_test()
    assert answer.startswith("Sent to 1 client: FER Live test ")
    text = answer.partition(": ")[2]
    page.wait_for("!document.getElementById('test').hidden")
    assert text in page.run("document.getElementById('test').textContent")
    assert len(cards(page)) == 2
    assert page.errors == []


def test_over_a_video_it_is_transparent_and_says_no_more_than_the_faces(
    page: Browser, live: Live, tmp_path: Path
):
    from PIL import Image

    page.open(f"http://127.0.0.1:{live.port}/?transparent=1")
    page.wait_for("document.querySelectorAll('article').length === 2")
    page.wait_for("document.body.innerText.includes('happiness 90 %')")
    seen = page.run("document.body.innerText")
    assert "face 1" in seen
    assert "Connected" not in seen and "Theme" not in seen
    page.picture(tmp_path / "page.png", transparent=True)
    with Image.open(tmp_path / "page.png") as image:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    assert alpha[-1, -1] == 0 and alpha.max() == 255
    assert (
        float(page.run("parseFloat(getComputedStyle(document.querySelector('h2')).fontSize)")) > 25
    )
    page.open(f"http://127.0.0.1:{live.port}/?transparent=1&bars=0")
    page.wait_for("document.querySelectorAll('article').length === 2")
    assert "neutral" not in page.run("document.body.innerText")


def test_dark_and_light_follow_the_system_or_the_switch(page: Browser, live: Live):
    def background() -> str:
        return page.run("getComputedStyle(document.body).backgroundColor")

    page.show_as(scheme="light")
    light = background()
    page.show_as(scheme="dark")
    dark = background()
    assert light != dark
    switch = "document.getElementById('theme')"
    page.run(f"{switch}.value = 'light', {switch}.dispatchEvent(new Event('change'))")
    assert background() == light
    page.open(f"http://127.0.0.1:{live.port}/")
    page.wait_for("document.documentElement.dataset.theme === 'light'")
    assert background() == light, "it is remembered"


def test_everything_has_a_name_and_the_page_speaks_the_apps_language(page: Browser, live: Live):
    page.wait_for("document.querySelectorAll('article').length === 2")
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "combobox", "image", "article", "navigation", "heading")
    found = [n for n in tree if n.get("role", {}).get("value") in roles and not n["ignored"]]
    assert len(found) >= 10
    nameless = [node for node in found if not node.get("name", {}).get("value")]
    assert nameless == []
    try:
        set_language("ko")
        page.open(f"http://127.0.0.1:{live.port}/")
        page.wait_for("document.querySelectorAll('article').length === 2")
        assert page.run("document.documentElement.lang") == "ko"
        page.wait_for("document.querySelector('.says').textContent.startsWith('기쁨')")
        assert "얼굴 1" in cards(page)[0]
    finally:
        set_language("en")


def test_the_page_loads_nothing_and_may_connect_here_alone():
    page = dashboard(LABELS, [Address("127.0.0.1", 8765), Address("localhost", 8765)])
    for outside in (" src=", '<link rel="style', "url(", "@import", "http://", "unsafe"):
        # The library names its own home page in a comment.
        assert outside not in page.html.replace("https://github.com/leeoniya/uPlot", "")
    directives = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self' ws://127.0.0.1:8765 ws://localhost:8765"
    assert directives["script-src"].startswith("'sha256-")
    assert directives["style-src"].startswith("'sha256-")


def themes() -> dict[str, dict[str, str]]:
    look = (PAGES / "base/pages/look.css").read_text()
    blocks = re.findall(r"color-scheme: (\w+);(.*?)}", look, flags=re.S)
    assert [name for name, _ in blocks] == ["light", "dark", "dark"]
    found = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for _, block in blocks]
    assert found[1] == found[2], "by the system and by the switch"
    return {"light": found[0], "dark": found[1]}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(theme: str):
    """WCAG 2: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    colors = themes()[theme]
    for text in ("text", "faint", "good", "bad"):
        for ground in ("page", "card", "track"):
            assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    assert contrast(colors["accent-text"], colors["accent"]) >= 4.5
    for ground in ("page", "card", "track"):
        assert contrast(colors["edge"], colors[ground]) >= 3, "the edge of bars and dots"
    for color in (*EXPRESSION_COLORS.values(), *OWN_COLORS, expression_hex("")):
        assert contrast(colors["ink"], color) >= 4.5, color


def test_text_over_any_video_can_be_read():
    css = (PAGES / "outputs/live.css").read_text()
    plate = re.search(r"\.transparent article {.*?rgba\((\d+), (\d+), (\d+), ([.\d]+)\)", css)
    assert plate is not None
    color = "#" + "".join(f"{int(part):02x}" for part in plate.groups()[:3])
    for video in ("#ffffff", "#000000", "#ff0000", "#00ff00", "#ffff00"):
        assert contrast("#ffffff", over(color, float(plate[4]), video)) >= 4.5, video
