// Documents: a page of all, and one with what is like it.

import { ask, collectionPath } from "./asking.js";
import { characters, make, number } from "./elements.js";
import { hitElement, metadata } from "./hits.js";

const PAGE = 20;
const OPENING = 280;

function opening(text) {
  const letters = characters(text);
  return letters.length > OPENING ? `${letters.slice(0, OPENING).join("")}…` : text;
}

export async function browse({ name, values, address }) {
  const offset = Math.max(0, Number(values.get("from")) || 0);
  const [{ documents }, { count }] = await Promise.all([
    ask(`${collectionPath(name)}/documents?limit=${PAGE}&offset=${offset}`), ask(`${collectionPath(name)}/count`, {})]);
  const to = (from, text) => make("a", { href: address(name, "documents", { from }) }, text);
  const last = offset + documents.length;
  return [make("h1", {}, "Documents"),
    make("p", { class: "quiet" }, count ? `${number(offset + 1)} to ${number(last)} of ${number(count)}, in the order in which they were added` : "There are no documents yet."),
    make("ol", { class: "hits" }, documents.map((each) => make("li", {},
      make("div", { class: "head" }, make("h2", {}, make("a", { href: address(name, "document", { id: each.id }) }, each.title || each.id))),
      make("p", { class: "text" }, opening(each.text)), metadata(each.metadata)))),
    make("nav", { class: "pages", "aria-label": "Pages" }, offset ? to(Math.max(0, offset - PAGE), "← Earlier") : null, last < count ? to(last, "Later →") : null)];
}

function place({ start, end, headings, page }) {
  const where = [headings.join(" › "), page === null ? "" : `page ${number(page)}`, `characters ${number(start)} to ${number(end)}`];
  return make("p", { class: "meta" }, where.filter(Boolean).map((each) => make("span", {}, each)));
}

function divided({ passages, count }) {
  if (count < 2) return null;
  const more = count - passages.length;
  return make("details", {}, make("summary", {}, `${number(count)} passages, each with a vector of its own`),
    make("ol", { class: "passages" }, passages.map((each) => make("li", {}, place(each), make("p", { class: "text" }, opening(each.text.trim()))))),
    more ? make("p", { class: "quiet" }, `and ${number(more)} more`) : null);
}

export async function open({ name, values, address }) {
  const id = values.get("id") ?? "";
  const path = collectionPath(name);
  const { documents: [found] } = await ask(`${path}/documents/get`, { ids: [id] });
  if (!found) throw new Error(`There is no document ${id} here.`);
  const [{ hits }, passages] = await Promise.all([
    ask(`${path}/like`, { id, k: 5 }).catch(() => ({ hits: [] })), ask(`${path}/passages`, { id })]);
  return [make("h1", {}, found.title || found.id), make("p", { class: "quiet" }, found.id), metadata(found.metadata),
    make("p", { class: "text whole" }, found.text || "This document has no text."),
    divided(passages),
    hits.length ? make("section", {}, make("h2", {}, "More like this"),
      make("ol", { class: "hits" }, hits.map((hit) => hitElement(hit, address(name, "document", { id: hit.id }))))) : null].filter(Boolean);
}
