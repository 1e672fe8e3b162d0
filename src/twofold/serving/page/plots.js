// Figures with their intervals as pictures; a table below each has the same figures.

import { draw, make } from "./elements.js";

const WIDTH = 480, HEIGHT = 220, LEFT = 46, RIGHT = 14, TOP = 12, FOOT = 34;
const digits = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2));

// A margin on both sides, so that no mark lies on the frame.
function between(values, least, most) {
  const low = Math.min(...values), high = Math.max(...values), rest = (high - low || Math.abs(high) || 1) * 0.08;
  return [Math.max(least, low - rest), Math.min(most, high + rest)];
}

// points: { x, y, low, high, name, chosen }; low and high where there is an interval. across: what the x axis says.
// line: joins the points. level: a horizontal line, such as a promise.
export function plot(points, { label, across, line = false, level = null, from = -Infinity, to = Infinity }) {
  const heights = points.flatMap((each) => [each.y, each.low ?? each.y, each.high ?? each.y]);
  const [bottom, top] = between(level === null ? heights : [...heights, level], from, to);
  const [first, last] = between([0, ...points.map((each) => each.x)], 0, Infinity);
  const x = (value) => LEFT + ((WIDTH - LEFT - RIGHT) * (value - first)) / (last - first || 1);
  const y = (value) => TOP + ((HEIGHT - FOOT - TOP) * (top - value)) / (top - bottom || 1);
  const marks = [...new Set([bottom, level ?? bottom, top])].filter((each) => each === level || level === null || Math.abs(y(each) - y(level)) > 14);
  return draw("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${label}; the table has the figures` },
    draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT }), draw("line", { x1: LEFT, x2: LEFT, y1: TOP, y2: HEIGHT - FOOT }),
    level === null ? null : draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(level), y2: y(level), "stroke-dasharray": "4 4" }),
    marks.map((each) => draw("text", { x: LEFT - 6, y: y(each) + 4, "text-anchor": "end" }, digits(each))),
    draw("text", { x: LEFT, y: HEIGHT - 12 }, digits(first)), draw("text", { x: WIDTH - RIGHT, y: HEIGHT - 12, "text-anchor": "end" }, `${across}, to ${digits(last)}`),
    line ? draw("polyline", { points: points.map((each) => `${x(each.x)},${y(each.y)}`).join(" ") }) : null,
    points.map((each) => [each.low === undefined ? null : draw("line", { class: "interval", x1: x(each.x), x2: x(each.x), y1: y(each.low), y2: y(each.high) }),
      draw("circle", { class: each.chosen ? "chosen" : "", cx: x(each.x), cy: y(each.y), r: each.chosen ? 6 : 4 }, draw("title", {}, `${each.name}: ${each.y.toFixed(3)}`))]));
}

export function figures(label, heads, rows) {
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, make("table", {},
    make("thead", {}, make("tr", {}, heads.map((each) => make("th", { scope: "col" }, each)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((value) => make("td", {}, String(value))))))));
}
