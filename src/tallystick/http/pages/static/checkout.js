"use strict";
// Everything here is an addition: the page works without it.
(() => {
  // A logo that does not load, or did not before this ran, gives way to the first letter.
  document.querySelectorAll("img.logo").forEach((logo) => {
    const giveWay = () => {
      logo.hidden = true;
      logo.nextElementSibling.hidden = false;
    };
    logo.addEventListener("error", giveWay);
    if (logo.complete && !logo.naturalWidth) giveWay();
  });

  const form = document.getElementById("checkout");
  if (!form) return;

  const TOO_MANY = 429;
  const isOpen = (field) => field.offsetParent !== null;
  const errorOf = (field) => document.getElementById(`${field.id}-error`);

  function tell(field, text) {
    errorOf(field).textContent = text;
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }

  // The button is never shut and never replaced, so that no press of it is lost. Pressed while
  // the total is updated it waits, and pays what was on the page as it was pressed, or says
  // that there is another amount now.
  const pay = document.getElementById("pay");
  const updates = new Set();
  let pressed = null; // The figures as the pointer went down on the button.
  let held = null; // The figures that a pressed button waits with.
  let isRepeated = false; // The press that has waited.
  let postponed = null; // An update that is not begun between press and release.
  let agreed = null; // The figures that the form is sent with.

  const figures = () => form.elements.shown.value + form.elements.consent_signature.value;
  const label = () => document.getElementById("pay-label");

  function setBusy(isBusy) {
    if (isBusy) {
      pay.dataset.label = label().textContent;
      pay.setAttribute("aria-busy", "true");
      label().textContent = pay.dataset.busy;
    } else {
      pay.removeAttribute("aria-busy");
      if (label().textContent === pay.dataset.busy) label().textContent = pay.dataset.label;
    }
  }

  // What is missing or wrong is said before the round trip: card fields never come back filled.
  function firstFault() {
    const needed = [...form.querySelectorAll("[required], [data-needed]")];
    needed.filter((field) => isOpen(field) && !field.value.trim()).forEach((field) => tell(field, form.dataset.missing));
    const fields = [...form.querySelectorAll("input, select")];
    return fields.find((field) => isOpen(field) && errorOf(field) && errorOf(field).textContent.trim());
  }

  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.hasAttribute("formaction")) return;
    if (form.dataset.sent || held !== null) return event.preventDefault();
    const seen = pressed ?? figures();
    pressed = null;
    const code = form.elements.code;
    const isApplied = code.value.trim() === code.defaultValue;
    if (!isApplied && !isRepeated && window.htmx) document.getElementById("apply").click();
    const fault = firstFault();
    if (fault) {
      event.preventDefault();
      fault.focus();
    } else if (updates.size) {
      event.preventDefault();
      held = seen;
      setBusy(true);
    } else if (seen !== figures()) {
      event.preventDefault();
      announce(form.dataset.changed);
    } else {
      form.dataset.sent = "yes";
      agreed = seen;
      setBusy(true);
    }
  });

  // A panel of the provider's has made its token: meanwhile the figures may have become others.
  function stay() {
    delete form.dataset.sent;
    setBusy(false);
  }
  form.addEventListener("panel:stays", stay);
  form.addEventListener("panel:answered", (event) => {
    if (!updates.size && agreed === figures()) return;
    event.preventDefault();
    stay();
    if (!updates.size) return announce(form.dataset.changed);
    held = agreed;
    setBusy(true);
  });

  function release(update) {
    if (held === null || updates.size) return;
    pressed = held;
    held = null;
    setBusy(false);
    if (update.status === TOO_MANY) return;
    isRepeated = true;
    form.requestSubmit(pay);
    isRepeated = false;
  }

  document.addEventListener("pointerdown", (event) => {
    pressed = pay.contains(event.target) ? figures() : null;
  });
  ["pointerup", "pointercancel"].forEach((name) =>
    document.addEventListener(name, () => {
      if (postponed) postponed();
      postponed = null;
    }),
  );
  form.addEventListener("keydown", () => (pressed = null));
  document.addEventListener("htmx:confirm", (event) => {
    if (!pay.matches(":active")) return;
    event.preventDefault();
    postponed = () => event.detail.issueRequest();
  });
  document.addEventListener("htmx:beforeSend", (event) => {
    const update = event.detail.xhr;
    updates.add(update);
    document.getElementById("announce").className = "visually-hidden";
    update.addEventListener("loadend", () => {
      updates.delete(update);
      release(update);
    });
  });
  // The page comes back from the history as it was left: let it be sent again.
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());

  // A field that only some countries use is not in the way of others, unless it holds something.
  form.elements.country.addEventListener("change", () =>
    form.querySelectorAll("[data-only-in]").forEach((place) => {
      const isUsed = place.dataset.onlyIn.split(" ").includes(form.elements.country.value);
      place.hidden = !isUsed && !place.querySelector("input").value;
    }),
  );

  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "code") {
      event.preventDefault();
      document.getElementById("apply").click();
    }
  });

  // Groups of four, as on the card; the caret stays behind the character that was typed.
  function group(field, sizes) {
    const before = field.value.slice(0, field.selectionStart).replace(/\s/g, "").length;
    const bare = field.value.replace(/\s/g, "");
    const parts = [];
    for (let at = 0, part = 0; at < bare.length; part += 1) {
      const size = sizes[Math.min(part, sizes.length - 1)];
      parts.push(bare.slice(at, at + size));
      at += size;
    }
    const text = parts.join(" ");
    if (text === field.value) return;
    field.value = text;
    let caret = 0;
    for (let seen = 0; seen < before && caret < text.length; caret += 1) if (text[caret] !== " ") seen += 1;
    field.setSelectionRange(caret, caret);
  }

  function expiry(field, event) {
    if (event.inputType && event.inputType.startsWith("delete")) return;
    const digits = field.value.replace(/\D/g, "");
    if (/^\d{2}$/.test(field.value)) field.value = `${digits} / `;
    else if (/^\d{3,4}$/.test(field.value)) field.value = `${digits.slice(0, 2)} / ${digits.slice(2)}`;
  }

  form.addEventListener("input", (event) => {
    const field = event.target;
    if (field.id === "card_number") group(field, /^3[47]/.test(field.value) ? [4, 6, 5] : [4]);
    if (field.id === "iban") group(field, [4]);
    if (field.id === "card_expiry") expiry(field, event);
    if (errorOf(field)) tell(field, "");
  });

  function announce(text) {
    const place = document.getElementById("announce");
    place.textContent = text;
    place.className = "told";
  }

  ["htmx:sendError", "htmx:timeout"].forEach((name) =>
    document.addEventListener(name, () => announce(form.dataset.offline)),
  );
  // The answer is the sentence that says so.
  document.addEventListener("htmx:responseError", (event) => {
    const answer = event.detail.xhr;
    if (answer.status === TOO_MANY) announce(answer.responseText);
  });

  // After an update by htmx the errors are in place: mark their fields.
  document.addEventListener("htmx:afterSettle", () => {
    form.querySelectorAll(".error").forEach((error) => {
      const field = document.getElementById(error.id.replace(/-error$/, ""));
      if (field) tell(field, error.textContent);
    });
  });
})();
