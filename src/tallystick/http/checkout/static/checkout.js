"use strict";
// Everything here is an addition: the page works without it.
(() => {
  const form = document.getElementById("checkout");
  if (!form) return;

  const isOpen = (field) => field.offsetParent !== null;
  const errorOf = (field) => document.getElementById(`${field.id}-error`);

  function tell(field, text) {
    errorOf(field).textContent = text;
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }

  // Say what is missing before the round trip, because card fields are never sent back filled.
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.hasAttribute("formaction")) return;
    if (form.dataset.sent) return event.preventDefault();
    const fields = [...form.querySelectorAll("[required], [data-needed]")];
    const missing = fields.filter((field) => isOpen(field) && !field.value.trim());
    missing.forEach((field) => tell(field, form.dataset.missing));
    if (missing.length) {
      event.preventDefault();
      missing[0].focus();
      return;
    }
    form.dataset.sent = "yes";
    const button = document.getElementById("pay");
    button.setAttribute("aria-busy", "true");
    button.lastElementChild.textContent = button.dataset.busy;
  });
  // The page comes back from the history as it was left: let it be sent again.
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());

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
    place.className = "closed";
  }

  ["htmx:sendError", "htmx:timeout"].forEach((name) =>
    document.addEventListener(name, () => announce(form.dataset.offline)),
  );
  // Too many requests: the answer is the sentence that says so.
  document.addEventListener("htmx:responseError", (event) => {
    const answer = event.detail.xhr;
    if (answer.status === 429) announce(answer.responseText);
  });

  // After an update by htmx the errors are in place: mark their fields.
  document.addEventListener("htmx:afterSettle", () => {
    document.getElementById("announce").className = "visually-hidden";
    form.querySelectorAll(".error").forEach((error) => {
      const field = document.getElementById(error.id.replace(/-error$/, ""));
      if (field) tell(field, error.textContent);
    });
  });
})();
