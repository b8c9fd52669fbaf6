// The page's part of the twin's stripe.js: a frame per Payment Element, and messages with it.
const ORIGIN = new URL(document.currentScript.src).origin;
// The release is in the script's address, as at Stripe.
const RELEASE = new URL(document.currentScript.src).pathname.split("/")[1];
const HAS_TYPES = RELEASE < "endive";
const CURRENCY_OF = {sepa_debit: "eur", bacs_debit: "gbp", au_becs_debit: "aud"};
const KNOWN = new Set([
  "mode", "amount", "currency", "setupFutureUsage", "captureMethod", "onBehalfOf",
  "paymentMethodCreation", "paymentMethodOptions", "allowedPaymentMethodTypes",
  "excludedPaymentMethodTypes", "paymentMethodConfiguration", "appearance", "fonts", "locale",
  "loader", "externalPaymentMethodTypes", "paymentMethodTypes",
]);

class IntegrationError extends Error {
  constructor(message) {
    super(message);
    this.name = "IntegrationError";
  }
}

function checked(options, first) {
  if (!HAS_TYPES && "paymentMethodTypes" in options) {
    throw new IntegrationError(
      "paymentMethodTypes is no longer supported. Use allowedPaymentMethodTypes instead.");
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) throw new IntegrationError(`Unrecognized elements() parameter: ${name}`);
  }
  if (!first) return;
  if (!["payment", "setup", "subscription"].includes(options.mode)) {
    throw new IntegrationError("Invalid value for elements(): mode");
  }
  if (!options.currency || options.currency !== options.currency.toLowerCase()) {
    throw new IntegrationError("Invalid value for elements(): currency");
  }
  if (options.mode === "payment" && !(Number.isInteger(options.amount) && options.amount > 0)) {
    throw new IntegrationError("Invalid value for elements(): amount");
  }
}

class PaymentElement {
  constructor(key, elements, options) {
    this.key = key;
    this.elements = elements;
    this.options = options || {};
    this.listeners = {};
    this.waiting = new Map();
    this.asked = 0;
    this.frame = null;
    this.heard = (event) => this.hear(event);
    // A question that comes before the frame is there waits for it.
    this.there = new Promise((resolve) => (this.arrived = resolve));
    this.on("loaderror", this.arrived);
  }

  on(name, listener) {
    (this.listeners[name] = this.listeners[name] || []).push(listener);
    return this;
  }

  off(name) {
    delete this.listeners[name];
    return this;
  }

  once(name, listener) {
    return this.on(name, (event) => {
      this.off(name);
      listener(event);
    });
  }

  emit(name, event) {
    for (const listener of this.listeners[name] || []) {
      listener({elementType: "payment", ...event});
    }
  }

  async mount(where) {
    const node = typeof where === "string" ? document.querySelector(where) : where;
    if (!node) throw new IntegrationError("Invalid DOM element given to mount().");
    window.addEventListener("message", this.heard);
    try {
      const url = `${API_BASE}/v1/elements/sessions?key=${encodeURIComponent(this.key)}`;
      const answer = await fetch(url);
      const session = await answer.json();
      if (!answer.ok) return this.emit("loaderror", {error: session.error});
      this.kinds = session.payment_method_types;
    } catch (error) {
      return this.emit("loaderror", {error: {type: "api_connection_error", message: String(error)}});
    }
    this.frame = document.createElement("iframe");
    this.frame.title = "Secure payment input frame";
    this.frame.name = "__privateStripeFrame";
    this.frame.src = `${ORIGIN}/frames/payment.html`;
    this.frame.setAttribute("width", "100%");
    this.frame.setAttribute("height", "220");
    this.frame.setAttribute("frameborder", "0");
    this.frame.setAttribute("allow", "payment *");
    node.replaceChildren(this.frame);
  }

  unmount() {
    window.removeEventListener("message", this.heard);
    if (this.frame) this.frame.remove();
    this.frame = null;
  }

  destroy() {
    this.unmount();
    this.elements.element = null;
  }

  update(options) {
    this.options = {...this.options, ...options};
    this.tell("draw");
  }

  focus() {
    this.tell("focus");
  }

  kindsShown() {
    const {allowedPaymentMethodTypes, paymentMethodTypes, currency} = this.elements.options;
    const allowed = allowedPaymentMethodTypes || paymentMethodTypes;
    return this.kinds.filter((kind) =>
      (!allowed || allowed.includes(kind)) && [undefined, currency].includes(CURRENCY_OF[kind]));
  }

  tell(name, more) {
    if (!this.frame) return;
    const {options, elements} = this;
    this.frame.contentWindow.postMessage({
      name, key: this.key, kinds: this.kindsShown(), defaults: options.defaultValues || {},
      fields: options.fields || {}, locale: elements.options.locale || "auto", ...more,
    }, ORIGIN);
  }

  async ask(name, more) {
    await this.there;
    if (!this.frame) throw new IntegrationError("The Payment Element is not mounted.");
    const id = ++this.asked;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.tell(name, {id, ...more});
    });
  }

  hear(event) {
    if (event.origin !== ORIGIN || !this.frame || event.source !== this.frame.contentWindow) return;
    const {name, id, told} = event.data;
    if (name === "loaded") {
      this.tell("draw");
      this.arrived();
    } else if (name === "answer") {
      this.waiting.get(id)(told);
      this.waiting.delete(id);
    } else {
      if (name === "ready") this.frame.setAttribute("height", told.height);
      this.emit(name, told);
    }
  }
}

class Elements {
  constructor(key, options) {
    checked(options, true);
    this.key = key;
    this.options = {...options};
    this.element = null;
    this.submitted = false;
  }

  create(type, options) {
    if (type !== "payment") throw new IntegrationError(`The twin has no element of type ${type}.`);
    if (this.element) throw new IntegrationError("Can only create one Element of type payment.");
    this.element = new PaymentElement(this.key, this, options);
    return this.element;
  }

  getElement() {
    return this.element;
  }

  update(options) {
    checked(options, false);
    if ("mode" in options && options.mode !== this.options.mode) this.submitted = false;
    this.options = {...this.options, ...options};
    this.submitted = false;
    if (this.element) this.element.tell("draw");
  }

  async submit() {
    if (!this.element) throw new IntegrationError("There is no element to submit.");
    const {error, selected} = await this.element.ask("submit");
    this.submitted = !error;
    return error ? {error} : {selectedPaymentMethod: selected};
  }
}

window.Stripe = (key, options) => {
  if (!/^pk_(test|live)_/.test(key || "")) {
    throw new IntegrationError("Please call Stripe() with your publishable key.");
  }
  return {
    elements: (given) => new Elements(key, {locale: (options || {}).locale, ...given}),
    createPaymentMethod: async ({elements, params}) => {
      if (!(elements instanceof Elements)) {
        throw new IntegrationError("createPaymentMethod() takes {elements, params}.");
      }
      if (elements.options.paymentMethodCreation !== "manual") {
        throw new IntegrationError("elements() must be called with paymentMethodCreation: 'manual'.");
      }
      if (!elements.submitted) {
        throw new IntegrationError("elements.submit() must be called before createPaymentMethod().");
      }
      return elements.element.ask("create", {params: params || {}});
    },
  };
};
window.Stripe.version = RELEASE;
