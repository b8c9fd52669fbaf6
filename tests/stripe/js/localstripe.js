// What localstripe's script has not: a Payment Element for a deferred intent, and methods made
// of it. Its card fields are its own, and are given the labels that they lack; those of a debit
// are made here.
const made = window.Stripe;
const LABELS = {
  number: "Card number", exp_month: "Expiration month", exp_year: "Expiration year",
  cvc: "Security code", postal_code: "Postal code",
};

class PaymentElement {
  constructor(elements, options) {
    this.elements = elements;
    this.options = options || {};
    this.listeners = {};
    this.kind = null;
  }

  on(name, listener) {
    (this.listeners[name] = this.listeners[name] || []).push(listener);
    return this;
  }

  off(name) {
    delete this.listeners[name];
    return this;
  }

  emit(name, event) {
    for (const listener of this.listeners[name] || []) listener({elementType: "payment", ...event});
  }

  kinds() {
    const {allowedPaymentMethodTypes, paymentMethodTypes} = this.elements.options;
    return allowedPaymentMethodTypes || paymentMethodTypes || ["card", "sepa_debit"];
  }

  mount(where) {
    this.node = typeof where === "string" ? document.querySelector(where) : where;
    this.draw(this.kinds()[0]);
    setTimeout(() => this.emit("ready", {}));
  }

  draw(kind) {
    this.kind = kind;
    if (this.card) this.card.destroy();
    this.card = null;
    this.node.replaceChildren();
    if (this.kinds().length > 1) this.tabs();
    if (kind === "card") {
      this.card = this.elements.theirs.create("card");
      this.card.on("change", () => this.emit("change", {value: {type: kind}}));
      this.card.mount(this.node);
      for (const input of this.node.querySelectorAll("input")) {
        input.setAttribute("aria-label", LABELS[input.placeholder]);
      }
    } else {
      const label = document.createElement("label");
      this.iban = document.createElement("input");
      this.iban.id = "localstripe-iban";
      label.htmlFor = this.iban.id;
      label.textContent = "IBAN";
      this.iban.addEventListener("input", () => this.emit("change", {value: {type: kind}}));
      this.node.append(label, " ", this.iban);
    }
  }

  tabs() {
    const labels = {card: "Card", sepa_debit: "SEPA Direct Debit"};
    for (const kind of this.kinds()) {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.textContent = labels[kind];
      tab.addEventListener("click", () => this.draw(kind));
      this.node.append(tab);
    }
  }

  focus() {
    const input = this.node.querySelector("input");
    if (input) input.focus();
  }

  update(options) {
    this.options = {...this.options, ...options};
  }

  unmount() {
    if (this.card) this.card.destroy();
    this.card = null;
    if (this.node) this.node.replaceChildren();
  }

  destroy() {
    this.unmount();
    this.elements.element = null;
  }

  fault() {
    const refuse = (code, message) => ({type: "validation_error", code, message});
    if (this.kind !== "card") {
      return this.iban.value.length < 14
        ? refuse("incomplete_iban", "The IBAN you entered is incomplete.") : null;
    }
    const {number, exp_month: month, exp_year: year, cvc} = (this.card.value || {card: {}}).card;
    if (!number || number.replace(/\D/g, "").length < 15) {
      return refuse("incomplete_number", "Your card number is incomplete.");
    }
    if (!month || !/^20\d\d$/.test(year)) {
      return refuse("incomplete_expiry", "Your card's expiration date is incomplete.");
    }
    return cvc ? null : refuse("incomplete_cvc", "Your card's security code is incomplete.");
  }

  form() {
    if (this.kind !== "card") return {"sepa_debit[iban]": this.iban.value.replace(/\s/g, "")};
    const {number, exp_month: month, exp_year: year, cvc} = this.card.value.card;
    return {
      "card[number]": number.replace(/\D/g, ""), "card[exp_month]": month,
      "card[exp_year]": year, "card[cvc]": cvc,
    };
  }
}

class Elements {
  constructor(theirs, options) {
    this.theirs = theirs;
    this.options = {...options};
    this.element = null;
  }

  create(type, options) {
    if (type !== "payment") return this.theirs.create(type, options);
    this.element = new PaymentElement(this, options);
    return this.element;
  }

  getElement(type) {
    return type === "payment" ? this.element : this.theirs.getElement(type);
  }

  update(options) {
    this.options = {...this.options, ...options};
  }

  async submit() {
    const error = this.element.fault();
    return error ? {error} : {selectedPaymentMethod: this.element.kind};
  }
}

window.Stripe = (key, options) => {
  const theirs = made(key, options);
  return {
    ...theirs,
    elements: (given) => new Elements(theirs.elements(given), given || {}),
    createPaymentMethod: async ({elements, params}) => {
      const form = new URLSearchParams({type: elements.element.kind, key, ...elements.element.form()});
      const given = (params || {}).billing_details || {};
      for (const name of ["name", "email", "phone"]) {
        if (given[name]) form.set(`billing_details[${name}]`, given[name]);
      }
      for (const [name, told] of Object.entries(given.address || {})) {
        if (told) form.set(`billing_details[address][${name}]`, told);
      }
      try {
        const answer = await fetch(`${BASE}/v1/payment_methods`, {method: "POST", body: form});
        const told = await answer.json();
        return answer.ok ? {paymentMethod: told} : {error: told.error};
      } catch (error) {
        return {error: {type: "api_connection_error", message: String(error)}};
      }
    },
  };
};
