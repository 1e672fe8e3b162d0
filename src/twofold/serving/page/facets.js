// Values of metadata as filters.

import { ask, collectionPath } from "./asking.js";
import { make, number, shown } from "./elements.js";

const SAMPLE = 100;
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

export function filterOf(chosen) {
  const parts = [...chosen].filter(([, values]) => values.size).map(([field, values]) => ({ [field]: { $in: [...values] } }));
  return parts.length ? { $and: parts } : null;
}

export async function facetsElement(name, fields, chosen, changed) {
  if (!fields.length) return null;
  const { facets } = await ask(`${collectionPath(name)}/facets`, { fields, limit: VALUES });
  const toggle = (field, value) => (event) => {
    const values = chosen.get(field) ?? new Set();
    if (!values.delete(value)) values.add(value);
    chosen.set(field, values);
    event.currentTarget.setAttribute("aria-pressed", String(values.has(value)));
    changed();
  };
  const groups = Object.entries(facets).map(([field, values]) => make("section", {}, make("h3", {}, field),
    make("ul", {}, values.map(({ value, count }) => make("li", {}, make("button", {
      type: "button", "aria-pressed": "false", onclick: toggle(field, value) }, shown(value), make("span", { class: "number" }, number(count))))))));
  return make("details", { open: matchMedia("(min-width: 64rem)").matches }, make("summary", {}, "Filters"), make("div", { class: "facets" }, groups));
}
