// SPDX-License-Identifier: Apache-2.0
// The turns that have ended, newest first, with a filter.

import { byId, draw, make, seconds, write } from "./page.js";
import { outcomeText } from "./turn.js";

export class Log {
  constructor() {
    this.entries = new Map();
    this.most = 100;
    byId("words").oninput = byId("kind").onchange = () => this.filter();
    byId("filter").onsubmit = (event) => event.preventDefault();
  }

  // A server that was started anew counts from 1 again.
  clear() {
    this.entries.clear();
    byId("turns").replaceChildren();
    this.filter();
  }

  add(entry) {
    const before = this.entries.get(entry.number);
    const item = this.item(entry);
    this.entries.set(entry.number, { entry, item });
    if (before) before.item.replaceWith(item);
    else byId("turns").prepend(item);
    while (this.entries.size > this.most) {
      const oldest = Math.min(...this.entries.keys());
      this.entries.get(oldest).item.remove();
      this.entries.delete(oldest);
    }
    const kinds = byId("kind");
    const outcome = entry.turn.ended.outcome;
    if (![...kinds.options].some((each) => each.value === outcome)) {
      kinds.append(make("option", { value: outcome, text: outcomeText(outcome) }));
    }
    this.filter();
  }

  item(entry) {
    const { turn } = entry;
    const when = new Date(turn.began).toLocaleTimeString();
    const figure = make("figure");
    if (entry.picture) {
      figure.append(make("img", { src: `data:image/jpeg;base64,${entry.picture}`, loading: "lazy",
        alt: turn.found.box ? `searched for ${turn.found.caption}: found` : `searched for ${turn.found.caption}` }));
      if (turn.found.box) {
        const [width, height] = entry.size;
        const svg = draw("svg", { viewBox: `0 0 ${width} ${height}` });
        const [x, y, w, h] = turn.found.box;
        svg.append(draw("rect", { x, y, width: w, height: h }));
        figure.append(svg);
      }
    }
    const fields = [entry.heading, entry.tool, entry.target].map((each) => each || "–").join(" · ");
    const sentence = turn.final || entry.text || (turn.unheard ? `(${turn.unheard})` : "–");
    return make("li", {}, figure, make("div", {},
      make("p", {}, make("b", { text: outcomeText(turn.ended.outcome) }),
        make("span", { class: "small", text: `${when} · ${seconds(turn.ended.seconds.total)}` })),
      make("p", { text: sentence }), make("p", { class: "small", text: fields }),
      make("p", { class: "small", text: turn.ended.reason })));
  }

  filter() {
    const words = byId("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = byId("kind").value;
    let shown = 0;
    for (const { entry, item } of this.entries.values()) {
      const text = item.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word)) && (!kind || entry.turn.ended.outcome === kind);
      item.hidden = !fits;
      item.style.display = fits ? "" : "none";
      shown += fits;
    }
    write(byId("shown"), `${shown} of ${this.entries.size}`);
  }
}
