// The collection's facts, and the index with what was measured.

import { ask, collectionPath } from "./asking.js";
import { make, number } from "./elements.js";
import { figures, plot } from "./plots.js";
import { tuned } from "./tuned.js";

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
    Analyser: lexical.settings.analyser + (lexical.reason && ` (${lexical.reason})`), Documents: number(lexical.documents),
    "Lexical share": lexical.fusion ? `${lexical.fusion.share}; chance cosine ${lexical.fusion.chance.toFixed(3)}` : "not mixed",
    Tuned: lexical.learned ? "with judgements" : "without judgements",
  }) : make("p", { class: "quiet" }, "There is no lexical index; twofold tune builds it."))];
}

const POINT = ["kind", "effort", "recall@10", "95 % interval", "p50, ms", "p99, ms"];

function row(point) {
  return [point.kind, point.effort || "", point.recall.toFixed(3), `${point.low.toFixed(3)}–${point.high.toFixed(3)}`, point.p50.toFixed(2), point.p99.toFixed(2)];
}

const reached = (point, best) => point.kind === best.kind && point.effort === best.effort && point.recall === best.recall;

function indexed(index) {
  const points = index ? [...index.tried, ...index.checked, ...(index.tried.length || index.checked.length || !index.reached ? [] : [index.reached])] : [];
  const heading = make("h2", {}, "Index");
  if (!index || !index.reached) return make("section", {}, heading, make("p", {}, "Every search is exact."));
  return make("section", {}, heading, make("p", {}, `${index.kind} over ${number(index.rows)} passages, because ${index.why}. Recall@10 ${index.reached.recall.toFixed(3)}; ${index.promise} was promised, ${index.kept ? "and kept" : "and is not kept"}.`),
    plot(points.map((each) => ({ ...each, x: each.p50, y: each.recall, name: each.kind, chosen: reached(each, index.reached) })),
      { label: "Recall by time of a look-up", across: "ms, median look-up", level: index.promise, from: 0, to: 1 }),
    figures("Measured points", POINT, points.map(row)));
}

export async function about({ name }) {
  const info = await ask(collectionPath(name));
  if (!info.contract) return [make("h1", {}, name), list({ Documents: number(info.documents) })];
  return [make("h1", {}, name), ...described(info), ...tuned(info.lexical), indexed(info.index)];
}
