#!/usr/bin/env python3
"""Looks at the dashboard of a running stack with a real browser: every page, its live values, its
flows; and keeps a picture of each page.

    GATEWAY=HOST:PORT DASHBOARDS=DIR SCREENSHOTS=DIR DATANODE_PID=N DATANODE=HOST:PORT \\
      GATEWAY_PID=N dashboard_test.py

Started by dashboard_test.cpp, which brings the stack up: the jobs of FLOWS with rows flowing. The
tests run in the order of their names: the last ones break things.
"""

import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

GATEWAY = os.environ["GATEWAY"]
URL = f"http://{GATEWAY}/"
DASHBOARDS = pathlib.Path(os.environ["DASHBOARDS"])
SCREENSHOTS = pathlib.Path(os.environ["SCREENSHOTS"])
# Where the files of the pages are taken from in place of those in the gateway: for work on them.
PAGES = os.environ.get("PAGES")
SHIPPED = sorted(path.stem for path in DASHBOARDS.glob("*.json"))
PAGE_NAMES = ("now", "results", "jobs", "storage", "files")
FLOWS = ("flights_delays", "carrier_counts", "iot_windowed")
DATANODE_DOWN_S = 15
PATIENCE_MS = 20_000
LONG_MS = 60_000

# That something was drawn, and not in one colour.
IS_DRAWN = """(canvas) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let i = 0; i < data.length && seen.size < 3; i += 4) {
    seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  }
  return seen.size >= 3;
}"""


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        cls.playwright = sync_playwright().start()
        expect.set_options(timeout=PATIENCE_MS)  # a page says after 4 s that the gateway is silent
        # Its own sandbox needs rights that root in a container has not.
        cls.browser = cls.playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-dev-shm-usage"])

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()

    def setUp(self):
        self.errors = []
        self.foreign = []
        self.page = self.open_page()

    def tearDown(self):
        self.page.context.close()
        self.assertEqual(self.foreign, [], "something beyond the gateway was asked for")
        self.assertEqual(self.errors, [], "the console has errors")

    def open_page(self, **options):
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error"
                and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: request.url.startswith((URL, "data:", "blob:"))
                or self.foreign.append(request.url))
        if PAGES:
            page.route("**/ui/*", self.serve_page)
        return page

    @staticmethod
    def serve_page(route):
        path = pathlib.Path(PAGES) / route.request.url.rsplit("/", 1)[1]
        if path.exists():
            route.fulfill(path=path)
        else:
            route.continue_()

    def go(self, name, page=None):
        page = page or self.page
        page.goto(f"{URL}#/{name}")
        expect(page.locator("#link-state")).to_have_attribute("data-state", "live")

    def keep_picture(self, name, page=None):
        (page or self.page).screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    # ---- the pages ------------------------------------------------------------------------------

    def test_0_what_is_wrong_is_said_in_words(self):
        self.page.goto(URL)
        found = self.page.evaluate("""async () => {
          const {problems} = await import('/ui/health.js');
          const cluster = {age_ms: 0, is_in_safe_mode: false, missing_blocks: 0, corrupt_replicas: 0,
                           under_replicated_blocks: 0, pending_repairs: 0};
          const node = {address: 'n:1', state: 'live', service: 'in_service', silent_ms: 0, disks: [],
                        capacity_bytes: 100, free_bytes: 50};
          const worker = {silent_ms: 0};
          const job = {job: 'j', workers: [worker], rows_dead: 0, commits_failed: 0};
          const say = (c = {}, n = {}, j = {}) => problems({cluster: {...cluster, ...c},
            datanodes: {datanodes: [{...node, ...n}]}, jobs: {jobs: [{...job, ...j}]}}, 'live', 0)
            .map((each) => `${each.level}: ${each.what}`);
          return [say(), say({age_ms: 60000}), say({missing_blocks: 2, under_replicated_blocks: 1}),
            say({}, {state: 'dead'}), say({}, {free_bytes: 5}), say({}, {disks: [{path: '/d', failure: 'EIO'}]}),
            say({}, {}, {workers: [{silent_ms: 20000}]}), say({}, {}, {workers: [{silent_ms: 0, waiting_for: 'files'}]}),
            say({}, {}, {rows_dead: 1, commits_failed: 2})];
        }""")
        self.assertEqual(found, [
            [], ["bad: The master does not answer"],
            ["bad: 2 blocks cannot be read", "warn: 1 block with too few replicas"],
            ["bad: Datanode n:1 is down"], ["warn: Datanode n:1 is nearly full"],
            ["bad: A disk of n:1 failed"], ["bad: A worker of j ended without a word"],
            ["warn: j waits for files"],
            ["warn: 1 record could not be read by j", "warn: 2 commits of j came to nothing"]])

    def test_1_now_shows_the_pipeline_and_that_it_moves(self):
        self.go("now")
        for job in FLOWS:
            expect(self.page.locator(f".node-job[data-id='job {job}']")).to_contain_text("running")
        expect(self.page.locator("[data-id='topic flights-topic']")).to_contain_text("records/s in")
        expect(self.page.locator("[data-id='path dfs:///delays/']")).to_be_visible()
        expect(self.page.locator("[data-id='store']")).to_contain_text("3 of 3 datanodes")
        self.page.wait_for_function("document.querySelectorAll('.edge-flows').length >= 3")
        note = self.page.locator(".tile", has_text="Rows in").locator(".tile-note")
        before = note.inner_text()
        self.page.wait_for_function(
            "(before) => [...document.querySelectorAll('.tile-note')].every((n) => n.innerText !== before)",
            arg=before)
        self.page.wait_for_timeout(5_000)  # for the picture: lines need a few samples
        self.keep_picture("now")

    def test_2_results_draw_every_shipped_chart(self):
        self.go("results")
        self.assertGreaterEqual(len(SHIPPED), 8)
        for name in SHIPPED:
            chart = self.page.locator(f"[data-key='chart {name}']")
            drawn = chart.locator("canvas, .gauge")
            drawn.first.wait_for(timeout=LONG_MS)
            if drawn.first.evaluate("(node) => node.tagName") == "CANVAS":
                self.page.wait_for_function(
                    f"(canvas) => ({IS_DRAWN})(canvas)", arg=drawn.first.element_handle())
        expect(self.page.locator(".gauge")).to_have_count(5)
        self.page.wait_for_timeout(2_000)
        self.keep_picture("results")
        # A longer or shorter time is asked for at once.
        with self.page.expect_request(lambda r: "last_ms=86400000" in r.url):
            self.page.select_option("#range", label="Last day")
        self.page.select_option("#range", label="From … to …")
        with self.page.expect_request(lambda r: "from_ms=" in r.url and "to_ms" not in r.url):
            self.page.get_by_label("From, UTC").fill("2013-01-02T00:00")
            self.page.get_by_label("From, UTC").dispatch_event("change")

    def test_3_a_new_chart_appears_and_a_wrong_one_says_why(self):
        self.go("results")
        chart = {"title": "Made by a user", "type": "bars", "source": {"topic": "flights-topic"},
                 "group": "origin", "aggregate": "count", "unit": "flights"}
        new, wrong = DASHBOARDS / "zz_new.json", DASHBOARDS / "zz_wrong.json"
        try:
            new.write_text(json.dumps(chart), encoding="utf-8")
            wrong.write_text(json.dumps({**chart, "type": "pie"}), encoding="utf-8")
            shown = self.page.locator("[data-key='chart zz_new'] canvas")
            shown.wait_for(timeout=LONG_MS)
            expect(self.page.locator("[data-key='chart zz_wrong']")).to_contain_text("must be one of")
        finally:
            new.unlink()
            wrong.unlink()
        expect(self.page.locator("[data-key='chart zz_new']")).to_have_count(0)

    def test_4_jobs_show_plan_tasks_and_dead_letters(self):
        self.go("jobs/iot_windowed")
        expect(self.page.locator(".op-kind", has_text="Scan")).to_have_count(1)
        expect(self.page.locator(".op-kind", has_text="Insert")).to_have_count(1)
        operators = self.page.locator(".op-rows")
        expect(operators).to_have_count(4)
        expect(operators.nth(1)).to_contain_text(re.compile(r"in .* rows?/s, .*B/s"))
        for edge in (".op-scan .op-rows", ".op-insert .op-rows"):
            expect(self.page.locator(edge)).to_contain_text(re.compile(r"\d (B|kB|MB)/s"))
        for column in ("Busy", "Held back"):
            expect(self.page.get_by_role("region", name="Tasks").locator("thead")).to_contain_text(column)
        expect(self.page.get_by_role("region", name="Tasks").locator("tbody tr").first).to_contain_text(" %")
        expect(self.page.get_by_role("region", name="Tasks").locator("tbody tr")).to_have_count(3)
        letters = self.page.get_by_role("region", name="Dead letters")
        expect(letters.locator("tbody tr").first).to_contain_text("iot_sensor_data", timeout=LONG_MS)
        expect(self.page.get_by_role("region", name="SQL")).to_contain_text("INSERT INTO iot_windowed_data")
        self.keep_picture("jobs")
        self.page.get_by_role("navigation", name="Jobs").get_by_role("link", name="carrier_counts").click()
        expect(self.page.locator(".op-exchange")).to_have_count(1)
        expect(self.page.locator(".op-exchange .op-rows")).to_contain_text(re.compile(r"out .* rows?/s, .*B/s"))
        self.keep_picture("jobs-exchange")

    def test_5_files_are_browsed_uploaded_and_deleted(self):
        self.go("files")
        self.page.get_by_role("link", name="delays", exact=True).click()
        self.page.locator(".entry-file").first.wait_for(timeout=LONG_MS)
        self.keep_picture("files")
        self.page.locator(".entry-file").first.click()
        expect(self.page.get_by_role("region", name="Rows of").locator("thead")).to_contain_text("delayed_flights")
        self.keep_picture("file")
        self.go("files")
        self.page.get_by_label("Name of a new folder").fill("from the browser")
        self.page.get_by_role("button", name="Make").click()
        self.page.get_by_role("link", name="from the browser").click()
        expect(self.page.locator(".empty")).to_contain_text("This folder is empty")
        with tempfile.NamedTemporaryFile(suffix=" 100%.txt") as file:
            file.write(b"a line\n" * 1000)
            file.flush()
            name = pathlib.Path(file.name).name
            self.page.set_input_files("#upload", file.name)
            self.page.get_by_role("link", name=name, exact=True).wait_for()
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=f"Download {name}").click()
        self.assertEqual(pathlib.Path(download.value.path()).read_bytes(), b"a line\n" * 1000)
        delete = self.page.get_by_role("button", name=f"Delete {name}")
        delete.click()
        self.keep_picture("files-delete")
        self.page.get_by_role("button", name="Keep it").click()
        expect(self.page.get_by_role("link", name=name, exact=True)).to_have_count(1)
        delete.click()
        self.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        expect(self.page.get_by_role("link", name=name, exact=True)).to_have_count(0)

    def test_6_every_page_is_usable_by_all(self):
        axe = Axe()
        for scheme, viewport in (("light", {"width": 1440, "height": 900}),
                                 ("dark", {"width": 1440, "height": 900}),
                                 ("light", {"width": 390, "height": 844})):
            page = self.open_page(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
            for name in PAGE_NAMES:
                self.go(name, page)
                page.locator("main h1").wait_for(state="attached")
                if name == "results":
                    page.locator("canvas").first.wait_for(timeout=LONG_MS)
                page.wait_for_timeout(1_500)
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                self.assertLessEqual(wide, 0, f"{name} is wider than the screen")
                self.keep_picture(f"{name}-{scheme}-{viewport['width']}", page)
                found = [v for v in axe.run(page).response["violations"]
                         if v["impact"] in ("serious", "critical")]
                words = [(v["id"], [node["html"][:120] for node in v["nodes"][:3]]) for v in found]
                self.assertEqual(words, [], f"{name}, {scheme}")
            page.context.close()

    def test_7_the_keyboard_is_enough(self):
        self.go("now")
        self.page.keyboard.press("Tab")
        expect(self.page.locator(":focus")).to_have_text("Skip to the content")
        for _ in range(2 + PAGE_NAMES.index("storage")):  # past the name and the pages before it
            self.page.keyboard.press("Tab")
        expect(self.page.locator(":focus")).to_have_text("Storage")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("h1")).to_have_text("Storage")
        expect(self.page.locator(":focus")).to_have_attribute("id", "content")

    def test_8_only_by_its_names(self):
        request = urllib.request.Request(URL, headers={"Host": "elsewhere.example"})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        self.assertEqual(refused.exception.code, 421)
        with urllib.request.urlopen(URL, timeout=10) as answer:
            self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])

    # ---- what breaks ----------------------------------------------------------------------------

    def test_8a_a_datanode_that_dies_turns_red(self):
        self.go("storage")
        expect(self.page.locator(".node-card")).to_have_count(3)
        os.kill(int(os.environ["DATANODE_PID"]), signal.SIGKILL)
        killed_at = time.monotonic()
        red = self.page.locator(".node-card.node-is-bad", has_text=os.environ["DATANODE"])
        red.wait_for(timeout=DATANODE_DOWN_S * 1000)
        print(f"the datanode turned red after {time.monotonic() - killed_at:.1f} s", flush=True)
        self.keep_picture("storage-datanode-down")
        self.page.get_by_role("link", name="Now").click()
        expect(self.page.locator(".health-bad")).to_contain_text(os.environ["DATANODE"])
        self.keep_picture("now-datanode-down")

    def test_9_a_gateway_that_is_gone_is_said(self):
        self.go("now")
        os.kill(int(os.environ["GATEWAY_PID"]), signal.SIGKILL)
        expect(self.page.locator("#link-state")).to_have_attribute("data-state", "lost")
        expect(self.page.locator(".health-bad")).to_contain_text("The gateway does not answer")
        self.keep_picture("now-gateway-gone")
        self.errors.clear()  # the browser's own, of the connection that broke off


if __name__ == "__main__":
    unittest.main(argv=sys.argv, verbosity=2)
