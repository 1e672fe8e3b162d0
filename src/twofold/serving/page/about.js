// The collection's facts, and the index with what was measured.

import { ask, collectionPath } from "./asking.js";
import { draw, make, number } from "./elements.js";

const bytes = (value) => `${(value / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;

function list(facts) {
  return make("dl", {}, Object.entries(facts).filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
}

function described(info) {
  const { contract, lexical } = info;
  return [list({
    Documents: number(info.documents), Passages: number(info.passages),
    "Truncated": info.truncated ? `${number(info.truncated)} documents, ${number(info.tokens_cut)} tokens not encoded` : "none",
    "Without content": info.without_vector ? number(info.without_vector) : "none",
    "On disk": `${bytes(Object.values(info.bytes).reduce((sum, each) => sum + each, 0))} (${Object.entries(info.bytes).filter(([, size]) => size).map(([part, size]) => `${part} ${bytes(size)}`).join(", ")})`,
    Created: info.created.slice(0, 10), Commit: number(info.commit),
  }), make("section", {}, make("h2", {}, "Encoder and contract"), list({
    Encoder: `${info.encoder}; ${info.precision}`, Vectors: `${contract.dimension} numbers, ${contract.similarity}, ${contract.pooling} pooling`,
    "Longest input": contract.max_tokens && `${number(contract.max_tokens)} tokens`, "Query prompt": contract.query_prompt, "Document prompt": contract.document_prompt,
    Weights: contract.weights,
  })), make("section", {}, make("h2", {}, "Lexical search and tuning"), lexical ? list({
    Analyser: `${lexical.settings.analyser} (${lexical.reason})`, Documents: number(lexical.documents),
    "Lexical share": lexical.fusion ? `${lexical.fusion.share}; chance cosine ${lexical.fusion.chance.toFixed(3)}` : "not mixed",
    Tuned: lexical.learned ? "with judgements" : "without judgements",
  }) : make("p", { class: "quiet" }, "There is no lexical index; twofold tune builds it."))];
}

const POINT = ["kind", "effort", "recall@10", "95 % interval", "p50, ms", "p99, ms"];

function row(point) {
  return [point.kind, point.effort || "", point.recall.toFixed(3), `${point.low.toFixed(3)}–${point.high.toFixed(3)}`, point.p50.toFixed(2), point.p99.toFixed(2)];
}

function plot(points, promise) {
  const width = 480, height = 220, left = 46, foot = 34;
  const most = Math.max(...points.map((each) => each.p50)) * 1.15;
  const least = Math.min(promise, ...points.map((each) => each.low));
  const x = (value) => left + ((width - left - 12) * value) / most;
  const y = (value) => 12 + ((height - foot - 12) * (1 - value)) / Math.max(1 - least, 0.001);
  return draw("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Recall by time of a look-up; the table has the figures" },
    draw("line", { x1: left, x2: width - 12, y1: height - foot, y2: height - foot }), draw("line", { x1: left, x2: left, y1: 12, y2: height - foot }),
    draw("line", { x1: left, x2: width - 12, y1: y(promise), y2: y(promise), "stroke-dasharray": "4 4" }),
    draw("text", { x: left - 6, y: y(promise) + 4, "text-anchor": "end" }, promise.toFixed(2)), draw("text", { x: left - 6, y: 16, "text-anchor": "end" }, "1.00"),
    draw("text", { x: width - 12, y: height - 12, "text-anchor": "end" }, `median look-up, to ${most.toFixed(2)} ms`),
    points.map((each) => [draw("line", { x1: x(each.p50), x2: x(each.p50), y1: y(each.low), y2: y(each.high) }),
      draw("circle", { cx: x(each.p50), cy: y(each.recall), r: 5 }, draw("title", {}, `${each.kind} ${each.recall.toFixed(3)}`))]));
}

function indexed(index) {
  const points = index ? [...index.tried, ...index.checked, ...(index.tried.length || index.checked.length || !index.reached ? [] : [index.reached])] : [];
  const heading = make("h2", {}, "Index");
  if (!index || !index.reached) return make("section", {}, heading, make("p", {}, "Every search is exact."));
  return make("section", {}, heading, make("p", {}, `${index.kind} over ${number(index.rows)} passages, because ${index.why}. Recall@10 ${index.reached.recall.toFixed(3)}; ${index.promise} was promised, ${index.kept ? "and kept" : "and is not kept"}.`),
    plot(points, index.promise), make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Measured points" }, make("table", {}, make("thead", {}, make("tr", {}, POINT.map((each) => make("th", { scope: "col" }, each)))),
      make("tbody", {}, points.map((each) => make("tr", {}, row(each).map((value) => make("td", {}, String(value)))))))));
}

export async function about({ name }) {
  const info = await ask(collectionPath(name));
  if (!info.contract) return [make("h1", {}, name), list({ Documents: number(info.documents) })];
  return [make("h1", {}, name), ...described(info), indexed(info.index)];
}
