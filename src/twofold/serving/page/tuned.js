// What tuning measured with judged questions: the weight of lexical search, and the ways of searching.

import { make, number } from "./elements.js";
import { figures, plot } from "./plots.js";

const MEASURE = "nDCG@10";
const four = (value) => value.toFixed(4);
const interval = (low, high) => `${four(low)} to ${four(high)}`;
const signed = (value) => `${value < 0 ? "−" : "+"}${four(Math.abs(value))}`;

function nameOf({ mode, ranker, depth, weight }) {
  if (!ranker) return mode;
  return `${mode} + ${ranker.split("/").pop()}, depth ${number(depth)}${weight === 1 ? "" : `, weight ${weight}`}`;
}

function learned(found) {
  const points = found.tried.map(([share, value]) => ({ x: share, y: value, name: `share ${share}`, chosen: share === found.share }));
  return make("section", {}, make("h2", {}, "The weight of lexical search"),
    make("p", {}, `${number(found.questions)} judged questions chose the share ${found.share}. On questions that did not choose it, ${MEASURE} is ${four(found.held_out)}: ${signed(found.gain)} against the default of ${four(found.default)}, between ${signed(found.low)} and ${signed(found.high)} at 95 %. Dense search alone has ${four(found.dense)}.`),
    plot(points, { label: `${MEASURE} by the share of lexical scores`, across: "lexical share", line: true, from: 0, to: 1 }),
    figures("The weight of lexical search, measured", ["lexical share", MEASURE, "choice"], points.map((each) => [each.x, four(each.y), each.chosen ? "chosen" : ""])));
}

function ways(choice) {
  const chosen = nameOf(choice.pipeline);
  const rows = choice.ways.map((way) => ({ ...way, name: nameOf(way.pipeline) }));
  const points = rows.map((way) => ({ x: way.milliseconds, y: way.quality, low: way.low, high: way.high, name: way.name, chosen: way.name === chosen }));
  return make("section", {}, make("h2", {}, "Ways of searching"),
    make("p", {}, `Searches follow ${chosen}, chosen of ${number(rows.length)} ways within ${choice.budget} ms a query by ${number(choice.questions)} judged questions.`),
    points.length ? plot(points, { label: `${MEASURE} by the time of a query`, across: "ms a query", from: 0, to: 1 }) : null,
    figures("Ways of searching, measured", ["way", "ms", MEASURE, "95 % interval", `gain over ${choice.base}`, `${(100 * choice.confidence).toFixed(1)} % interval`, "choice"],
      rows.map((way) => [way.name, way.milliseconds.toFixed(1), four(way.quality), interval(way.low, way.high), signed(way.gain), `${signed(way.least)} to ${signed(way.most)}`, way.name === chosen ? "chosen" : ""])));
}

export function tuned(lexical) {
  return [lexical?.learned ? learned(lexical.learned) : null, lexical?.pipeline ? ways(lexical.pipeline) : null].filter(Boolean);
}
