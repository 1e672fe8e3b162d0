// Which view is shown: #/COLLECTION/VIEW?… in the address.

import { about } from "./about.js";
import { ask, keep } from "./asking.js";
import { browse, open } from "./documents.js";
import { make, notice } from "./elements.js";
import { search } from "./search.js";

const VIEWS = { search, documents: browse, document: open, about };
const main = document.getElementById("main");
const chooser = document.getElementById("collection");
let known = null;
let drawn = 0;

export function address(collection, view, values = {}) {
  const asked = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  return `#/${encodeURIComponent(collection)}/${view}${asked ? `?${asked}` : ""}`;
}

function here() {
  const [path, asked] = location.hash.slice(1).split("?");
  const [, name, view] = path.split("/");
  return { name: decodeURIComponent(name ?? ""), view, values: new URLSearchParams(asked ?? "") };
}

function askForKey(error) {
  const field = make("input", { id: "key", type: "password", autocomplete: "off", required: true });
  const send = (event) => {
    event.preventDefault();
    keep(field.value.trim());
    show();
  };
  main.replaceChildren(make("form", { class: "key", onsubmit: send }, make("h1", {}, "An API key, please"),
    make("p", { class: "quiet" }, error.message), make("label", { for: "key" }, "Key"), field,
    make("button", { class: "main" }, "Continue")));
  field.focus();
}

async function show() {
  const turn = ++drawn;
  try {
    known ??= await ask("/v1/collections");
    const there = here();
    const found = known.collections.find((each) => each.name === there.name);
    if (!found && known.collections.length) {
      location.replace(address(known.collections[0].name, "search"));
      return;
    }
    if (!found) throw new Error("This server has no collection that you may see.");
    const view = VIEWS[there.view] ? there.view : "search";
    chooser.replaceChildren(...known.collections.map((each) => make("option", { value: each.name }, each.name)));
    chooser.value = there.name;
    for (const link of document.querySelectorAll("nav a")) {
      link.href = address(there.name, link.dataset.view);
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${there.name} – Twofold`;
    const made = await VIEWS[view]({ name: there.name, values: there.values, ranker: known.ranker, address });
    if (turn === drawn) {
      main.replaceChildren(...made);
      if (view !== "search") {
        scrollTo(0, 0);
        main.focus({ preventScroll: true });
      } else if (matchMedia("(min-width: 64rem)").matches) main.querySelector("input").focus();
    }
  } catch (error) {
    if (error.status === 401) askForKey(error);
    else if (turn === drawn) main.replaceChildren(notice(error));
  }
}

chooser.addEventListener("change", () => { location.hash = address(chooser.value, "search"); });
addEventListener("hashchange", show);
show();
