"use strict";
// The page's side of a payment panel that the provider's script draws. The panel is told what it
// needs by attributes of its place and by events there, and answers by events; the form is ours.
//   panel:changed  to it    the attributes are others now, or another kind was chosen
//   panel:asked    to it    make a token of what was typed; `ask` numbers the question
//   panel:typed    from it  something was typed
//   panel:token    from it  {ask, token}
//   panel:refused  from it  {ask, why}: incomplete, refused, unavailable
(() => {
  const form = document.getElementById("payment").closest("form");
  const place = () => document.getElementById("payment_token");
  const token = () => form.elements.payment_token;
  const ANSWER_MS = 30000;
  const TOTALS = ["amount", "currency", "saves"];
  const DETAILS = ["name", "email", "country", "line1", "line2", "zip_code", "city", "state"];
  let asked = 0;
  let waiting = null;

  function say(text) {
    document.getElementById("payment_token-error").textContent = text;
  }

  // What stands on the page, for the panel: the totals come with every update.
  function share() {
    const data = place().dataset;
    const totals = document.getElementById("finish");
    data.chosen = form.elements.method.value;
    if (totals && totals.dataset.amount) TOTALS.forEach((name) => (data[name] = totals.dataset[name]));
    DETAILS.filter((name) => name in data && form.elements[name]).forEach((name) => {
      data[name] = form.elements[name].value.trim();
    });
  }

  function send(name, detail) {
    place().dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  function changed() {
    if (!place()) return;
    share();
    send("panel:changed");
  }

  function stop() {
    clearTimeout(waiting);
    waiting = null;
  }

  // The form waits for its token, once: every press that goes through gets one of its own.
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !place()) return;
    if (event.submitter && event.submitter.hasAttribute("formaction")) return;
    event.preventDefault();
    if (waiting !== null) return;
    asked += 1;
    const ask = asked;
    const refuse = () => send("panel:refused", { ask, why: "unavailable" });
    say("");
    share();
    waiting = setTimeout(refuse, ANSWER_MS);
    if (place().dataset.status) send("panel:asked", { ask });
    else refuse();
  });

  document.addEventListener("panel:token", (event) => {
    if (waiting === null || event.detail.ask !== asked) return;
    stop();
    token().value = event.detail.token;
    const goes = form.dispatchEvent(new CustomEvent("panel:answered", { cancelable: true }));
    if (goes) form.submit();
    else token().value = "";
  });

  document.addEventListener("panel:refused", (event) => {
    if (waiting === null || event.detail.ask !== asked) return;
    stop();
    say(place() ? place().dataset[event.detail.why] : "");
    form.dispatchEvent(new CustomEvent("panel:stays"));
  });

  document.addEventListener("panel:typed", () => say(""));
  document.addEventListener("htmx:afterSettle", changed);
  form.addEventListener("change", (event) => event.target.name === "method" && changed());
  changed();
})();
