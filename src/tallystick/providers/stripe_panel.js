"use strict";
// Draws Stripe's Payment Element where the page has a place for it, without an intent: what is
// typed becomes a payment method, whose id is the token. It reads attributes of that place and
// answers by events there (the page's panel.js names them); it posts nothing and knows no form.
(() => {
  // The direct debit of a currency; the adapter has the same list (stripe_debits.py).
  const DEBITS = { EUR: "sepa_debit", GBP: "bacs_debit", AUD: "au_becs_debit" };
  const MISTYPED = new Set(["validation_error", "card_error"]);
  const drawn = new Map(); // Kind -> what is drawn for it in `place`.
  let place = null;
  let loading = null;

  function load() {
    const script = document.createElement("script");
    return new Promise((resolve, reject) => {
      script.src = place.dataset.script;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    }).then(() => {
      return window.Stripe(JSON.parse(place.dataset.settings).publishable_key);
    });
  }

  function typeOf(kind) {
    return kind === "CARD" ? "card" : DEBITS[place.dataset.currency];
  }

  // Once for the page; what failed is tried again with the next press.
  function library() {
    loading ??= load().catch((error) => {
      loading = null;
      throw error;
    });
    return loading;
  }

  function look() {
    const style = getComputedStyle(place);
    const of = (name) => style.getPropertyValue(name).trim();
    const isDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const [ink, soft, edge, accent, bad] = ["--ink", "--soft", "--edge", "--accent", "--bad"].map(of);
    return {
      theme: isDark ? "night" : "stripe",
      labels: "above",
      variables: {
        fontFamily: style.fontFamily,
        fontSizeBase: style.fontSize,
        fontLineHeight: "1.5",
        colorPrimary: accent,
        colorBackground: of("--field"),
        colorText: ink,
        colorTextSecondary: soft,
        colorTextPlaceholder: soft,
        colorDanger: bad,
        borderRadius: of("--radius"),
        spacingGridRow: "14px",
        spacingGridColumn: "12px",
      },
      rules: {
        ".Label": { fontSize: "14px", fontWeight: "550", color: ink, marginBottom: "6px" },
        ".Input": { fontSize: "16px", lineHeight: "20px", padding: "11px 12px", border: `1px solid ${edge}`, boxShadow: "none" },
        ".Input:focus": { borderColor: accent, boxShadow: `0 0 0 1px ${accent}` },
        ".Input--invalid": { borderColor: bad, boxShadow: "none" },
        ".Error": { fontSize: "13.5px", color: bad, marginTop: "5px" },
      },
    };
  }

  function totals() {
    const { amount, currency, saves } = place.dataset;
    const isPaid = Number(amount) > 0;
    return {
      mode: isPaid ? "payment" : "setup",
      ...(isPaid ? { amount: Number(amount) } : {}),
      currency: currency.toLowerCase(),
      setupFutureUsage: saves === "true" || !isPaid ? "off_session" : null,
    };
  }

  // Name and email are asked for by the page where it has an attribute for them; of the address
  // only what a method cannot do without. Wallets pay by themselves, and the page says what is
  // agreed to, the mandate too, in words that it keeps. For a Bacs debit Stripe asks besides, in
  // its own fields, whether the buyer may sign alone.
  function fields() {
    const asks = (name) => (name in place.dataset ? "never" : "auto");
    return { billingDetails: { name: asks("name"), email: asks("email"), address: "if_required" } };
  }

  function draw(stripe, kind) {
    const { setupFutureUsage, ...rest } = totals();
    const elements = stripe.elements({
      ...rest,
      ...(setupFutureUsage ? { setupFutureUsage } : {}),
      paymentMethodCreation: "manual",
      allowedPaymentMethodTypes: [typeOf(kind)],
      locale: place.dataset.language,
      appearance: look(),
    });
    const element = elements.create("payment", {
      layout: { type: "tabs" },
      fields: fields(),
      terms: { card: "never", sepaDebit: "never", auBecsDebit: "never" },
      wallets: { applePay: "never", googlePay: "never", link: "never" },
    });
    element.on("change", () => tell("panel:typed"));
    element.on("loaderror", () => (place.dataset.status = "failed"));
    element.mount(place.querySelector(`[data-kind="${kind}"]`));
    return { elements, element };
  }

  function tell(name, detail) {
    place.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  // What is drawn for the kind that is chosen; each is drawn when it is first chosen, and stays.
  async function shown() {
    const stripe = await library();
    const kind = place.dataset.chosen;
    if (!drawn.has(kind)) drawn.set(kind, draw(stripe, kind));
    place.dataset.status = "ready";
    return { stripe, ...drawn.get(kind) };
  }

  function settle(found) {
    if (found === place) return;
    drawn.forEach(({ element }) => element.destroy());
    drawn.clear();
    place = found;
    place.dataset.status = "loading";
    place.addEventListener("focus", () => drawn.get(place.dataset.chosen)?.element.focus());
  }

  function refresh(found) {
    settle(found);
    drawn.forEach(({ elements }) => elements.update(totals()));
    shown().catch(() => (place.dataset.status = "failed"));
  }

  function billing() {
    const { name, email, line1, line2, city, state, country, zip_code: code } = place.dataset;
    const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));
    const address = given({ line1, line2, city, state, country, postal_code: code });
    return given({ name, email, address: Object.keys(address).length ? address : null });
  }

  async function answer(ask) {
    const refuse = (error) => tell("panel:refused", { ask, why: MISTYPED.has(error.type) ? "incomplete" : "unavailable" });
    const { stripe, elements, element } = await shown();
    const checked = await elements.submit();
    if (checked.error) {
      refuse(checked.error);
      return element.focus();
    }
    const made = await stripe.createPaymentMethod({ elements, params: { billing_details: billing() } });
    if (made.error) return refuse(made.error);
    return tell("panel:token", { ask, token: made.paymentMethod.id });
  }

  document.addEventListener("panel:changed", (event) => refresh(event.target));
  document.addEventListener("panel:asked", (event) => {
    const { ask } = event.detail;
    answer(ask).catch(() => tell("panel:refused", { ask, why: "unavailable" }));
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    drawn.forEach(({ elements }) => elements.update({ appearance: look() })),
  );
  const there = document.getElementById("payment_token");
  if (there) refresh(there);
})();
