// Values of metadata as filters.

import { ask, collectionPath } from "./asking.js";
import { make, number, shown } from "./elements.js";

const SAMPLE = 100; // first documents, and first results, that are looked at
const FIELDS = 6;
const VALUES = 12;

// The fields that divide documents into few groups, as the first documents show them.
export async function fieldsOf(name) {
  const { documents } = await ask(`${collectionPath(name)}/documents?limit=${SAMPLE}`);
  const seen = new Map();
  for (const each of documents) {
    for (const [field, value] of Object.entries(each.metadata)) {
      const values = (Array.isArray(value) ? value : [value]).filter((one) => ["string", "number", "boolean"].includes(typeof one));
      if (!seen.has(field)) seen.set(field, new Set());
      values.forEach((one) => seen.get(field).add(one));
    }
  }
  const few = ([, values]) => values.size > 1 && values.size <= Math.max(VALUES, documents.length / 4);
  return [...seen].filter(few).slice(0, FIELDS).map(([field]) => field);
}

// The filter of what is chosen; for the counts of a field without its own choice, since its values are alternatives.
export function filterOf(chosen, without = null) {
  const parts = [...chosen].filter(([field, values]) => values.size && field !== without).map(([field, values]) => ({ [field]: { $in: [...values] } }));
  return parts.length ? { $and: parts } : null;
}

function counted(hits, field) {
  const counts = new Map();
  for (const { metadata } of hits) {
    const value = metadata[field];
    for (const one of new Set(Array.isArray(value) ? value : [value])) counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return counts;
}

// Filters whose counts follow the question: each value by its documents among the first results.
export class Facets {
  constructor(name, chosen, changed) {
    this.path = collectionPath(name);
    this.chosen = chosen;
    this.changed = changed;
    this.numbers = new Map();
    this.of = make("p", { class: "quiet" });
  }

  // The element, or null where no field divides the documents.
  async element(fields) {
    if (!fields.length) return null;
    const { facets } = await ask(`${this.path}/facets`, { fields, limit: VALUES });
    const groups = Object.entries(facets).map(([field, values]) => make("section", {}, make("h2", {}, field),
      make("ul", {}, values.map(({ value, count }) => make("li", {}, this.button(field, value, count))))));
    return make("details", { open: matchMedia("(min-width: 64rem)").matches }, make("summary", {}, "Filters"), make("div", { class: "facets" }, this.of, groups));
  }

  button(field, value, count) {
    const shownCount = make("span", { class: "number" }, number(count));
    if (!this.numbers.has(field)) this.numbers.set(field, new Map());
    this.numbers.get(field).set(value, shownCount);
    return make("button", { type: "button", "aria-pressed": "false", onclick: (event) => {
      const values = this.chosen.get(field) ?? new Set();
      if (!values.delete(value)) values.add(value);
      this.chosen.set(field, values);
      event.currentTarget.setAttribute("aria-pressed", String(values.has(value)));
      this.changed();
    } }, shown(value), shownCount);
  }

  async follow(query, mode, signal) {
    const groups = new Map();
    for (const field of this.numbers.keys()) {
      const where = filterOf(this.chosen, field);
      const key = JSON.stringify(where);
      groups.set(key, { where, fields: [...(groups.get(key)?.fields ?? []), field] });
    }
    const found = await Promise.all([...groups.values()].map((group) => this.counts(query, mode, group, signal)));
    if (signal.aborted) return;
    const most = Math.max(0, ...found.map(({ hits }) => hits));
    this.of.textContent = query ? `Among the first ${number(most)} results` : "Among all documents";
    for (const [field, counts] of found.flatMap(({ counts: each }) => each)) {
      for (const [value, element] of this.numbers.get(field)) element.textContent = number(counts.get(value) ?? 0);
    }
  }

  async counts(query, mode, { where, fields }, signal) {
    const asked = where ? { where } : {};
    if (!query) {
      const { facets } = await ask(`${this.path}/facets`, { ...asked, fields }, signal);
      return { hits: 0, counts: fields.map((field) => [field, new Map(facets[field].map(({ value, count }) => [value, count]))]) };
    }
    const { hits } = await ask(`${this.path}/search`, { ...asked, query, k: SAMPLE, ...(mode ? { mode } : {}) }, signal);
    return { hits: hits.length, counts: fields.map((field) => [field, counted(hits, field)]) };
  }
}
