// Elements of the page. Texts become text nodes, never HTML: documents may hold anything.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export const make = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
export const draw = (name, attributes = {}, ...children) => filled(document.createElementNS(SVG, name), attributes, children);
export const say = (text) => { document.getElementById("status").textContent = text; };
export const number = (value) => Number(value).toLocaleString("en");
export const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

export function notice(error) {
  return make("p", { class: "notice", role: "alert" }, error.message);
}

// The server counts characters of Unicode, strings of JavaScript count units of UTF-16.
export const characters = (text) => Array.from(text);
