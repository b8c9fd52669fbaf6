// The frame's part: draws the fields, and creates the method where the page cannot look.
let state = {kinds: [], defaults: {}, fields: {}, key: ""};
let kind = null;

const TABS = {
  card: "Card", sepa_debit: "SEPA Direct Debit", bacs_debit: "Bacs Direct Debit",
  au_becs_debit: "BECS Direct Debit",
};
// What is asked of an account: the name in the API, the label, the digits or letters it has.
const ACCOUNT = {
  sepa_debit: [["iban", "IBAN", 14]],
  bacs_debit: [["sort_code", "Sort code", 6], ["account_number", "Account number", 8]],
  au_becs_debit: [["bsb_number", "BSB", 6], ["account_number", "Account number", 5]],
};
// What a Bacs debit needs of the address, whatever the page has.
const HOME = [["line1", "Address line 1"], ["city", "Town or city"], ["postal_code", "Postal code"]];

const say = (name, told, id) => window.parent.postMessage({name, told, id}, "*");

function field(name, label, autocomplete) {
  const row = document.createElement("p");
  const words = document.createElement("label");
  const input = document.createElement("input");
  words.htmlFor = input.id = input.name = name;
  words.textContent = label;
  input.autocomplete = autocomplete;
  input.addEventListener("input", () => {
    input.removeAttribute("aria-invalid");
    say("change", {complete: faults().length === 0, empty: !input.value, value: {type: kind}});
  });
  row.append(words, " ", input);
  return row;
}

function draw() {
  const typed = Object.fromEntries(
    [...document.querySelectorAll("input")].map((input) => [input.name, input.value]));
  if (!state.kinds.includes(kind)) kind = state.kinds[0] || null;
  const parts = [];
  if (state.kinds.length > 1) {
    const tabs = document.createElement("p");
    tabs.setAttribute("role", "tablist");
    for (const [name, label] of Object.entries(TABS)) {
      if (!state.kinds.includes(name)) continue;
      const tab = document.createElement("button");
      tab.type = "button";
      tab.textContent = label;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(kind === name));
      tab.addEventListener("click", () => {
        kind = name;
        draw();
        say("change", {complete: false, empty: true, value: {type: kind}});
      });
      tabs.append(tab);
    }
    parts.push(tabs);
  }
  if (kind === "card") {
    parts.push(field("number", "Card number", "cc-number"));
    parts.push(field("expiry", "Expiration date (MM / YY)", "cc-exp"));
    parts.push(field("cvc", "Security code", "cc-csc"));
  }
  if (kind in ACCOUNT) {
    for (const [name, label] of ACCOUNT[kind]) parts.push(field(name, label, "off"));
    const details = (state.fields.billingDetails || {});
    if (details !== "never" && details.name !== "never") parts.push(field("name", "Full name", "name"));
    if (details !== "never" && details.email !== "never") parts.push(field("email", "Email", "email"));
  }
  if (kind === "bacs_debit") {
    for (const [name, label] of HOME) parts.push(field(name, label, "off"));
    parts.push(field("alone", "I understand that Stripe will be collecting Direct Debits", "off"));
    parts[parts.length - 1].querySelector("input").type = "checkbox";
  }
  const fault = document.createElement("p");
  fault.id = "fault";
  fault.setAttribute("role", "alert");
  parts.push(fault);
  document.body.replaceChildren(...parts);
  const holder = state.defaults.billingDetails || {};
  for (const input of document.querySelectorAll("input:not([type=checkbox])")) {
    input.value = typed[input.name] || holder[input.name] || "";
  }
}

const value = (name) => {
  const input = document.getElementById(name);
  return input ? input.value.trim() : "";
};

function faults() {
  const found = [];
  const fault = (name, code, message) => found.push({name, code, message});
  if (kind === "card") {
    const digits = value("number").replace(/\D/g, "");
    if (digits.length < 15) fault("number", "incomplete_number", "Your card number is incomplete.");
    if (!/^(0[1-9]|1[0-2]) ?\/? ?\d{2}$/.test(value("expiry"))) {
      fault("expiry", "incomplete_expiry", "Your card's expiration date is incomplete.");
    }
    if (!/^\d{3,4}$/.test(value("cvc"))) {
      fault("cvc", "incomplete_cvc", "Your card's security code is incomplete.");
    }
  }
  for (const [name, label, least] of ACCOUNT[kind] || []) {
    if (value(name).replace(/[ -]/g, "").length < least) {
      fault(name, `incomplete_${name}`, `The ${label} you entered is incomplete.`);
    }
  }
  if (kind === "bacs_debit") {
    for (const [name, label] of HOME) if (!value(name)) fault(name, "incomplete_address", `${label} is missing.`);
    if (!document.getElementById("alone").checked) {
      fault("alone", "incomplete_mandate", "Please confirm that you may authorise debits alone.");
    }
  }
  return found;
}

function submit() {
  const found = faults();
  for (const {name} of found) document.getElementById(name).setAttribute("aria-invalid", "true");
  document.getElementById("fault").textContent = found.map(({message}) => message).join(" ");
  if (!found.length) return {selected: kind};
  return {error: {type: "validation_error", code: found[0].code, message: found[0].message}};
}

async function create(params) {
  const form = new URLSearchParams({type: kind});
  if (kind === "card") {
    const [, month, year] = value("expiry").match(/^(\d{2}) ?\/? ?(\d{2})$/);
    form.set("card[number]", value("number").replace(/\D/g, ""));
    form.set("card[exp_month]", month);
    form.set("card[exp_year]", `20${year}`);
    form.set("card[cvc]", value("cvc"));
  } else {
    for (const [name] of ACCOUNT[kind]) form.set(`${kind}[${name}]`, value(name));
  }
  const given = {...state.defaults.billingDetails, ...params.billing_details};
  for (const name of ["name", "email", "phone"]) {
    const told = value(name) || given[name];
    if (told) form.set(`billing_details[${name}]`, told);
  }
  const home = {country: "GB", ...Object.fromEntries(HOME.map(([name]) => [name, value(name)]))};
  const address = kind === "bacs_debit" ? {...given.address, ...home} : given.address;
  for (const [name, told] of Object.entries(address || {})) {
    if (told) form.set(`billing_details[address][${name}]`, told);
  }
  try {
    const answer = await fetch(`${API_BASE}/v1/payment_methods`, {
      method: "POST", body: form, headers: {Authorization: `Bearer ${state.key}`},
    });
    const told = await answer.json();
    return answer.ok ? {paymentMethod: told} : {error: told.error};
  } catch (error) {
    return {error: {type: "api_connection_error", message: String(error)}};
  }
}

window.addEventListener("message", async (event) => {
  if (event.source !== window.parent) return;
  const {name, id, params, ...told} = event.data;
  state = {...state, ...told};
  if (name === "draw") {
    draw();
    say("ready", {height: String(document.documentElement.scrollHeight + 20)});
  }
  if (name === "focus") document.querySelector("input").focus();
  if (name === "submit") say("answer", submit(), id);
  if (name === "create") say("answer", await create(params), id);
});
say("loaded");
