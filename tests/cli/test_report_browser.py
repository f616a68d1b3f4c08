"""The page of `destrasim report` in a real browser: headless Chromium over its DevTools protocol.

Nothing is said in its console, nothing leaves it, it fits a phone's width, it prints, and without
JavaScript every figure is there.  Skipped where Chromium is not installed.
"""
import base64
import json
import os
import select
import shutil
import socket
import subprocess
import threading
import time
import unittest

import cli
from cli import Case, read, scenario

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
STUDY = """name: tiny
scenario: {smoke}
set: {{duration: 2 epochs, faults: [], expect: [safety]}}
parameters:
  - {{path: protocol.theta, values: [0.1, 0.4]}}
  - {{path: protocol.audit, values: [0.05, 0.3]}}
design: grid
replications: 2
objectives: [minimise loss]
"""


class Listener:
    """A proxy that answers nobody and counts who came."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
                self.asked.append(peer.recv(200))
                peer.close()
            except OSError:
                return

    def close(self):
        self.socket.close()

    def by_pages(self):
        """Without what the browser asks its maker."""
        own = (b"google.com", b"googleapis.com", b"gvt1.com")
        return [a for a in self.asked if a and not any(o in a.split(b"\r\n")[0] for o in own)]


class Browser:
    """Commands and events over --remote-debugging-pipe: JSON, each ended by a NUL."""

    def __init__(self, folder, *more):
        self.proxy = Listener()
        to_child, self.write = os.pipe()
        self.read, from_child = os.pipe()
        # Chromium takes commands from descriptor 3 and answers on 4.
        command = f'exec "$@" 3<&{to_child} 4>&{from_child}'
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", command, "browser", CHROMIUM, "--headless", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--no-first-run", "--disable-default-apps", "--disable-domain-reliability",
             "--disable-features=OptimizationHints,MediaRouter,Translate",
             f"--user-data-dir={folder}", f"--proxy-server=127.0.0.1:{self.proxy.port}",
             "--proxy-bypass-list=<-loopback>", *more, "about:blank"],
            pass_fds=(to_child, from_child), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, env={**os.environ, "HOME": folder})
        os.close(to_child)
        os.close(from_child)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def message(self, until):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser says nothing")
            got = os.read(self.read, 1 << 20)
            if not got:
                raise EOFError("the browser has ended")
            self.buffer += got
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, timeout=60, **params):
        self.number += 1
        order = {"id": self.number, "method": method, "params": params}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.write, json.dumps(order).encode() + b"\0")
        until = time.monotonic() + timeout
        while True:
            got = self.message(until)
            if got.get("id") == self.number:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']}")
                return got["result"]
            self.events.append(got)

    def open(self, url, width=1280, height=900, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=mobile)
        self.events.clear()
        self.call("Page.navigate", url=url)
        until = time.monotonic() + 60
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.message(until))
        time.sleep(0.5)
        self.value("1")  # collects what was said meanwhile

    def value(self, expression):
        got = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                        returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"])
        return got["result"].get("value")

    def said(self):
        """What a developer would see in red or yellow."""
        wrong = []
        for e in self.events:
            method, params = e.get("method"), e.get("params", {})
            if method == "Runtime.exceptionThrown":
                wrong.append(json.dumps(params["exceptionDetails"])[:300])
            elif method == "Runtime.consoleAPICalled":
                wrong.append(json.dumps(params.get("args"))[:300])
            elif method == "Log.entryAdded":
                wrong.append(json.dumps(params["entry"])[:300])
        return wrong

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]

    def close(self):
        try:
            self.session = None
            self.call("Browser.close", timeout=10)
        except (EOFError, TimeoutError, OSError, RuntimeError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read)
        os.close(self.write)
        self.proxy.close()


@unittest.skipUnless(CHROMIUM, "chromium is not installed")
class InBrowser(Case):
    def setUp(self):
        super().setUp()
        self.run_smoke("a.h5")
        self.write("study.yaml", STUDY.format(smoke=scenario("smoke.yaml")))
        self.call("sweep", "study.yaml", "-o", "d", "--quiet", code=0)
        self.call("report", "a.h5", "-o", "run.html", code=0)
        self.call("report", "d", "-o", "study.html", code=0)

    def browser(self, *more):
        os.makedirs(self.path("profile"), exist_ok=True)
        browser = Browser(self.path("profile"), *more)
        self.addCleanup(browser.close)
        return browser

    def url(self, name):
        return "file://" + self.path(name)

    def test_quiet_alone_and_narrow(self):
        browser = self.browser()
        for name in ("run.html", "study.html"):
            figures = read(self.path(name)).count(b"<figure")
            for width, mobile in ((1280, False), (360, True)):
                with self.subTest(name=name, width=width):
                    browser.open(self.url(name), width=width, mobile=mobile)
                    self.assertEqual(browser.said(), [])
                    outside = [u for u in browser.requests()
                               if not u.startswith(("file://", "data:", "blob:"))]
                    self.assertEqual(outside, [])
                    self.assertEqual(browser.value("window.innerWidth"), width)
                    self.assertLessEqual(
                        browser.value("document.documentElement.scrollWidth"), width)
                    self.assertEqual(browser.value("document.querySelectorAll('figure').length"),
                                     figures)
                    # Each figure shows something of a size, and no text is too small to read.
                    self.assertEqual(browser.value(
                        "[...document.querySelectorAll('figure')].filter(f => ![..."
                        "f.querySelectorAll('svg, canvas')].some(x => x.getBoundingClientRect()"
                        ".height > 80)).map(f => f.id).join()"), "")
                    self.assertGreaterEqual(browser.value(
                        "Math.min(...[...document.querySelectorAll('p, td, dd, figcaption')]"
                        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"), 11)
        self.assertEqual(browser.proxy.by_pages(), [])

    def test_prints(self):
        browser = self.browser()
        for name in ("run.html", "study.html"):
            browser.open(self.url(name))
            pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=True,
                                                preferCSSPageSize=True)["data"])
            self.assertTrue(pdf.startswith(b"%PDF"))
            self.assertGreater(len(pdf), 20000)
            self.assertEqual(browser.said(), [])

    def test_without_javascript(self):
        browser = self.browser("--blink-settings=scriptEnabled=false")
        for name in ("run.html", "study.html"):
            browser.open(self.url(name))
            self.assertEqual(browser.said(), [])
            # DevTools may evaluate where the page may not.
            self.assertEqual(browser.value(
                "[...document.querySelectorAll('figure')].filter(f => { const s = f.querySelector("
                "'svg'); return !s || s.getBoundingClientRect().height < 80; }).length"), 0)
            self.assertEqual(browser.value("document.querySelectorAll('canvas').length"), 0)
            self.assertGreater(browser.value("document.querySelectorAll('figure').length"), 8)

    def test_the_listener_would_notice(self):
        self.write("bad.html", "<!DOCTYPE html><title>x</title>"
                               "<img src='http://example.org/x.png'><script>undefined.x</script>")
        browser = self.browser()
        browser.open(self.url("bad.html"))
        self.assertNotEqual(browser.proxy.by_pages(), [])
        self.assertNotEqual(browser.said(), [])
        self.assertIn("http://example.org/x.png", browser.requests())


if __name__ == "__main__":
    cli.main()
