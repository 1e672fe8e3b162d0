// Searching while the question is typed, in one mode or in two side by side, with filters and judgements.

import { ask, collectionPath } from "./asking.js";
import { make, notice, number, say } from "./elements.js";
import { Facets, fieldsOf, filterOf } from "./facets.js";
import { hitElement } from "./hits.js";
import { gradesElement, Judgements, keys } from "./judging.js";

const PAUSE = 150;
const MODES = { "": "Best mode", dense: "Dense", lexical: "Lexical", "hybrid": "Hybrid", "dense lexical": "Dense beside lexical", "hybrid dense": "Hybrid beside dense" };

export async function search({ name, values, ranker, address }) {
  const chosen = new Map();
  const judgements = new Judgements(name);
  const facets = new Facets(name, chosen, () => later(0));
  let asking = new AbortController();
  let timer = 0;

  const field = make("input", { type: "search", id: "query", placeholder: "Ask a question…", autocomplete: "off", spellcheck: "false", enterkeyhint: "search", value: values.get("q") ?? "" });
  const mode = make("select", { id: "mode", onchange: () => later(0) }, Object.entries(MODES).map(([value, text]) => make("option", { value }, text)));
  mode.value = values.get("mode") ?? "";
  const again = make("input", { type: "checkbox", onchange: () => later(0) });
  const judging = make("input", { type: "checkbox", onchange: () => later(0) });
  const save = make("button", { type: "button", hidden: true, onclick: () => judgements.save() });
  const results = make("div", { class: "sides", id: "results" });
  results.addEventListener("keydown", (event) => keys(event, results));

  function counted() {
    save.hidden = !judgements.count;
    save.textContent = `Save ${number(judgements.count)} judgement${judgements.count === 1 ? "" : "s"}`;
  }

  function later(pause = PAUSE) {
    clearTimeout(timer);
    timer = setTimeout(run, pause);
  }

  async function one(query, kind, signal) {
    const body = { query, k: 10, explain: true, marks: true };
    if (kind) body.mode = kind;
    if (again.checked) body.ranker = true;
    const where = filterOf(chosen);
    if (where) body.where = where;
    const { hits } = await ask(`${collectionPath(name)}/search`, body, signal);
    const grades = (hit) => (judging.checked ? [gradesElement(judgements, query, hit.id, counted)] : []);
    return make("section", {}, make("h2", { class: kind ? "" : "hidden" }, kind ? kind[0].toUpperCase() + kind.slice(1) : "Results"),
      hits.length ? make("ol", { class: "hits" }, hits.map((hit) => hitElement(hit, address(name, "document", { id: hit.id }), grades(hit))))
        : make("p", { class: "quiet" }, "Nothing found."));
  }

  async function run() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const query = field.value.trim();
    history.replaceState(null, "", address(name, "search", { q: query, mode: mode.value }));
    const kinds = mode.value.split(" ");
    try {
      if (!query) {
        results.replaceChildren(make("p", { class: "quiet" }, "Results appear while you type."));
        await facets.follow(query, kinds[0], signal);
        return;
      }
      const made = await Promise.all(kinds.map((kind) => one(query, kind, signal)));
      if (signal.aborted) return;
      results.classList.toggle("two", kinds.length > 1);
      results.replaceChildren(...made);
      say(`${results.querySelectorAll("ol.hits > li").length} results`);
      await facets.follow(query, kinds[0], signal);
    } catch (error) {
      if (error.name !== "AbortError") results.replaceChildren(notice(error));
    }
  }

  field.addEventListener("input", () => later());
  const form = make("form", { class: "ask", role: "search", onsubmit: (event) => { event.preventDefault(); later(0); } },
    make("label", { class: "hidden", for: "query" }, "Question"), field,
    make("label", { class: "hidden", for: "mode" }, "Mode"), mode,
    ranker ? make("label", {}, again, "Re-rank") : null,
    make("label", {}, judging, "Judge"), make("span", { class: "quiet" }, make("kbd", {}, "j"), " ", make("kbd", {}, "k"), " move, ", make("kbd", {}, "0"), "–", make("kbd", {}, "3"), " judge"),
    make("span", { class: "right" }, save));
  form.querySelector("span.quiet").hidden = true;
  judging.addEventListener("change", () => { form.querySelector("span.quiet").hidden = !judging.checked; });
  counted();
  const filters = await facets.element(await fieldsOf(name));
  run();
  return [make("h1", { class: "hidden" }, `Search ${name}`), form,
    make("div", { class: filters ? "columns two" : "columns" }, results, filters ? make("aside", { class: "facets", "aria-label": "Filters" }, filters) : null)];
}
