// One hit: its title, the sentence that answers, and what its score consists of.

import { characters, draw, make, shown } from "./elements.js";

function overlaps(marks, start, end) {
  return marks.filter(([from, to]) => from < end && to > start);
}

// The sentence with most different terms of the query; among equals the first.
function bestSentence(text, marks) {
  const letters = characters(text);
  let best = null;
  let place = 0;
  for (const { segment } of new Intl.Segmenter("en", { granularity: "sentence" }).segment(text)) {
    const end = place + characters(segment).length;
    const terms = overlaps(marks, place, end).map(([from, to]) => letters.slice(from, to).join("").toLowerCase());
    const value = new Set(terms).size;
    if (value && (!best || value > best.value)) best = { start: place, end: place + characters(segment.trimEnd()).length, value };
    place = end;
  }
  return best;
}

function answering(hit) {
  const at = hit.sentence ? hit.text.indexOf(hit.sentence.text) : -1;
  if (at < 0) return bestSentence(hit.text, hit.marks ?? []);
  const start = characters(hit.text.slice(0, at)).length;
  return { start, end: start + characters(hit.sentence.text).length };
}

function inBold(letters, marks, start, end) {
  const nodes = [];
  let done = start;
  for (const [from, to] of overlaps(marks, start, end)) {
    nodes.push(letters.slice(done, Math.max(from, done)).join(""), make("b", {}, letters.slice(Math.max(from, start), Math.min(to, end)).join("")));
    done = Math.min(to, end);
  }
  nodes.push(letters.slice(done, end).join(""));
  return nodes;
}

export function passage(hit) {
  const letters = characters(hit.text);
  const marks = hit.marks ?? [];
  const best = answering(hit);
  if (!best) return make("p", { class: "text" }, inBold(letters, marks, 0, letters.length));
  return make("p", { class: "text" }, inBold(letters, marks, 0, best.start),
    make("mark", {}, inBold(letters, marks, best.start, best.end)), inBold(letters, marks, best.end, letters.length));
}

// The page on which the passage begins, and the headings above it.
function place(hit) {
  const told = [hit.page && `page ${hit.page}`, (hit.headings ?? []).join(" > ")].filter(Boolean);
  return told.length ? make("p", { class: "meta" }, told.map((each) => make("span", {}, each))) : null;
}

// A bar of the shares that the parts have in the score, and their figures.
function parts(hit) {
  const given = hit.parts ?? {};
  const mixed = "lexical evidence" in given && "dense" in given;
  const found = [];
  for (const [name, value] of Object.entries(given)) {
    if (name === "dense") found.push({ name, kind: "dense", value });
    else if (name === "lexical evidence") found.push({ name: "lexical", kind: "lexical", value: value * (given["lexical weight"] ?? 1) });
    else if (name === "lexical" ? !mixed : name !== "lexical weight") found.push({ name, kind: name === "lexical" ? name : "ranker", value });
  }
  const total = found.reduce((sum, part) => sum + Math.max(0, part.value), 0);
  if (!total) return null;
  let place = 0;
  const bars = found.map((part) => {
    const width = (100 * Math.max(0, part.value)) / total;
    place += width;
    return draw("rect", { class: part.kind, x: place - width, width, height: 10, y: 0 });
  });
  return make("div", { class: "parts" },
    draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, bars),
    found.map((part) => make("span", { class: part.kind }, `${part.name} ${part.value.toFixed(3)}`)),
    make("span", {}, `score ${hit.score.toFixed(3)}`));
}

export function metadata(values) {
  const fields = Object.entries(values);
  return fields.length ? make("p", { class: "meta" }, fields.slice(0, 8).map(([name, value]) =>
    make("span", {}, `${name}: ${Array.isArray(value) ? value.map(shown).join(", ") : shown(value)}`))) : null;
}

export function hitElement(hit, link, more = []) {
  const percent = hit.relevance === null ? null : `${Math.round(hit.relevance * 100)} % relevant`;
  return make("li", { tabindex: "0", "data-id": hit.id, "aria-label": hit.title || hit.id },
    make("div", { class: "head" }, make("h2", {}, make("a", { href: link }, hit.title || hit.id)),
      percent && make("span", { class: "likely" }, percent)),
    place(hit), passage(hit), metadata(hit.metadata), parts(hit), more);
}
