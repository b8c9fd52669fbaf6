"""Another origin, which serves the script of a provider that draws its own fields.

It stands in for Stripe's: the same calls, fields in a frame of its own, and no network behind
it. A token is what was typed, which `tests/mounted_bank.py` reads. `window.calls` keeps what
was asked of it; a page may set `window.hold`, a promise that a token waits for.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

SCRIPT = """
const ORIGIN = document.currentScript.src;
window.calls = [];
window.Stripe = (key, options) => ({
  elements(options) {
    window.calls.push(["elements", key, options]);
    const asked = new Map();
    let frame, loaded, asking = 0;
    const ask = (question) => loaded.then(() => new Promise((resolve) => {
      asked.set(asking += 1, resolve);
      frame.contentWindow.postMessage({ question, id: asking }, "*");
    }));
    const heard = {};
    window.addEventListener("message", ({ source, data }) => {
      if (!frame || source !== frame.contentWindow) return;
      if (data.typed) return heard.change && heard.change({});
      asked.get(data.id)(data);
    });
    return {
      kind: options.allowedPaymentMethodTypes[0],
      ask,
      update(options) { window.calls.push(["update", options]); },
      submit: () => ask("check"),
      create(type, options) {
        window.calls.push(["create", options]);
        return {
          on(name, hear) { heard[name] = hear; },
          mount(place) {
            frame = document.createElement("iframe");
            loaded = new Promise((done) => { frame.onload = done; });
            frame.title = "Secure payment fields";
            frame.src = new URL(`${this.kind}.html`, ORIGIN);
            frame.width = "100%";
            frame.height = "150";
            frame.setAttribute("frameborder", "0");
            place.append(frame);
          },
          kind: window.calls[window.calls.length - 2][2].allowedPaymentMethodTypes[0],
          focus() { frame.focus(); window.calls.push(["focus"]); },
          destroy() { frame.remove(); },
        };
      },
    };
  },
  async createPaymentMethod({ elements, params }) {
    window.calls.push(["createPaymentMethod", params]);
    await window.hold;
    const { token, error } = await elements.ask("make");
    return error ? { error } : { paymentMethod: { id: token, type: elements.kind } };
  },
});
"""

FRAME = """<!doctype html><html lang="en"><title>Fields</title><style>
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: #16181d; background: #fff; }
label { display: block; font-size: 14px; font-weight: 550; }
input { display: block; box-sizing: border-box; width: 100%; height: 44px; margin: 6px 0 14px;
 padding: 0 12px; border: 1px solid #858c9a; border-radius: 10px; font: inherit; }
</style><label>LABEL<input id="number"></label><script>
const number = document.getElementById("number");
number.addEventListener("input", () => parent.postMessage({ typed: true }, "*"));
addEventListener("message", ({ data: { question, id } }) => {
  const typed = number.value.replaceAll(" ", "");
  const answer = { id };
  if (question === "check" && !typed) answer.error = { type: "validation_error" };
  if (question === "make" && typed === "0000") answer.error = { type: "api_connection_error" };
  if (question === "make") answer.token = `pm_${typed}`;
  parent.postMessage(answer, "*");
});
</script>"""


class _Files(BaseHTTPRequestHandler):
    """The script, and a frame for each kind of method."""

    def do_GET(self) -> None:
        """Answer with one of them."""
        pages = {
            "/script.js": ("text/javascript", SCRIPT),
            "/card.html": ("text/html", FRAME.replace("LABEL", "Card number")),
            "/sepa_debit.html": ("text/html", FRAME.replace("LABEL", "IBAN")),
        }
        kind, text = pages[self.path]
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def script_host() -> Iterator[str]:
    """Serve the script until the block ends; its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
