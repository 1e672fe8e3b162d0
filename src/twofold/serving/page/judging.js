// Judgements of hits, kept in this browser, and given back as the files that `twofold tune` reads.

import { make, say } from "./elements.js";

const GRADES = [["0", "not relevant"], ["1", "related"], ["2", "answers"], ["3", "answers in full"]];

export class Judgements {
  constructor(collection) {
    this.place = `twofold-judged-${collection}`;
    this.judged = new Map(Object.entries(JSON.parse(localStorage.getItem(this.place) ?? "{}")));
  }

  grade(query, id) {
    return (this.judged.get(query) ?? {})[id];
  }

  judge(query, id, grade) {
    this.judged.set(query, { ...this.judged.get(query), [id]: grade });
    localStorage.setItem(this.place, JSON.stringify(Object.fromEntries(this.judged)));
  }

  get count() {
    return [...this.judged.values()].reduce((sum, each) => sum + Object.keys(each).length, 0);
  }

  files() {
    const queries = [];
    const lines = ["query-id\tcorpus-id\tscore"];
    [...this.judged].forEach(([text, grades], place) => {
      queries.push(JSON.stringify({ _id: `q${place + 1}`, text }));
      for (const [id, grade] of Object.entries(grades)) lines.push(`q${place + 1}\t${id}\t${grade}`);
    });
    return { "queries.jsonl": `${queries.join("\n")}\n`, "qrels.tsv": `${lines.join("\n")}\n` };
  }

  save() {
    for (const [name, text] of Object.entries(this.files())) {
      const link = make("a", { href: URL.createObjectURL(new Blob([text])), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }
    say("queries.jsonl and qrels.tsv are saved");
  }
}

export function gradesElement(judgements, query, id, changed) {
  const buttons = GRADES.map(([grade, meaning]) => make("button", {
    type: "button", title: meaning, "aria-label": `${grade}: ${meaning}`, "data-grade": grade,
    onclick: () => {
      judgements.judge(query, id, Number(grade));
      mark();
      say(`judged ${grade}, ${meaning}`);
      changed();
    },
  }, grade));
  const mark = () => buttons.forEach((each) => each.setAttribute("aria-pressed", String(judgements.grade(query, id) === Number(each.dataset.grade))));
  mark();
  return make("div", { class: "grades", role: "group", "aria-label": "Judgement" }, make("span", { class: "quiet" }, "relevance"), buttons);
}

// j and k go to the next hit and the one before, 0 to 3 judge it.
export function keys(event, list) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const hits = [...list.querySelectorAll("ol.hits > li")];
  const at = hits.indexOf(document.activeElement?.closest("ol.hits > li"));
  if (event.key === "j" || event.key === "k") {
    hits[Math.min(hits.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))]?.focus();
    event.preventDefault();
  } else if (at >= 0 && /^[0-3]$/.test(event.key)) {
    hits[at].querySelector(`[data-grade="${event.key}"]`)?.click();
    event.preventDefault();
  }
}
