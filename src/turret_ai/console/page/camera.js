// SPDX-License-Identifier: Apache-2.0
// The picture, what is marked in it, and how late it is.

import { byId, draw, make, write } from "./page.js";

const KEPT = 300;

export class Camera {
  constructor(link, pick) {
    this.link = link;
    this.pick = pick;
    this.delays = []; // ms from exposure until painted, the last ones
    this.shownAt = [];
    this.context = byId("picture").getContext("bitmaprenderer", { alpha: false });
    this.buttons = new Map();
    this.search = 0;
    setInterval(() => this.tell(), 500);
  }

  // Resolves when the picture is decoded; painting follows with the next animation frame.
  async show(header, blob) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
    } catch {
      return; // a broken picture: the next one comes
    }
    this.next?.bitmap.close();
    this.next = { header, bitmap };
    if (!this.asked) {
      this.asked = true;
      requestAnimationFrame(() => this.paint());
    }
  }

  paint() {
    this.asked = false;
    const { header, bitmap } = this.next;
    this.next = null;
    this.context.transferFromImageBitmap(bitmap); // nothing is copied; the canvas takes its size
    byId("blind").hidden = true;
    this.mark(header);
    // A message that is posted here is handled after the frame was given to the screen.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const delay = header.age + this.link.now() - header.made;
      this.delays.push(delay);
      this.shownAt.push(performance.now());
      if (this.delays.length > KEPT) { this.delays.shift(); this.shownAt.shift(); }
    };
    channel.port2.postMessage(0);
  }

  mark(header) {
    const [width, height] = header.size;
    const marks = byId("marks");
    marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
    marks.replaceChildren();
    const unit = width / 40;
    if (header.aim) {
      const [x, y] = header.aim;
      marks.append(...outlined("path", { class: "aim", d:
        `M${x - unit} ${y}h${unit * 0.7}M${x + unit * 0.3} ${y}h${unit * 0.7}` +
        `M${x} ${y - unit}v${unit * 0.7}M${x} ${y + unit * 0.3}v${unit * 0.7}` }));
    }
    if (header.goal && header.aim && distance(header.goal, header.aim) > unit / 2) {
      const [cx, cy] = header.goal;
      marks.append(...outlined("circle", { class: "goal", cx, cy, r: unit * 0.6 }));
      marks.append(...outlined("circle", { class: "goal", cx, cy, r: unit * 0.2 }));
    }
    for (const { name, box: [left, top, w, h] } of header.tracks) {
      marks.append(...outlined("rect", { class: "track", x: left, y: top, width: w, height: h }));
      marks.append(draw("text", { x: left, y: top + h + 26 }, `track ${name}`));
    }
    const target = header.lock ?? header.boxes.find((each) => each.chosen && !each.exact);
    if (target) {
      const [left, top, w, h] = target.box;
      if (target.state) {
        marks.append(draw("text", { x: left + w, y: top + h + 30 }, `◆ ${target.state.toLowerCase()}`));
      }
      const [x, y, r] = [left + w / 2, top + h / 2, Math.max(unit / 2, Math.max(w, h) * 0.75)];
      marks.append(...outlined("path", { class: "predicted", d: `M${x} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z` }));
    }
    this.markBoxes(header, width, height);
  }

  markBoxes(header, width, height) {
    const parent = byId("boxes");
    if (header.search !== this.search) {
      this.search = header.search;
      parent.replaceChildren();
      this.buttons.clear();
    }
    const seen = new Set();
    for (const each of header.boxes) {
      seen.add(each.id);
      let button = this.buttons.get(each.id);
      if (!button) {
        button = make("button", { type: "button" }, make("span"));
        const search = header.search;
        button.onclick = () => this.pick(search, each.id);
        this.buttons.set(each.id, button);
        parent.append(button);
      }
      const [left, top, w, h] = each.box;
      const place = { left: left / width, top: top / height, width: w / width, height: h / height };
      for (const [side, share] of Object.entries(place)) button.style[side] = `${share * 100}%`;
      button.classList.toggle("chosen", each.chosen);
      const number = each.id + 1;
      const when = each.exact ? "" : ` ${each.age.toFixed(1)} s ago`;
      write(button.firstChild, each.chosen ? `${number} ◆ target${when}` : String(number));
      const score = `candidate ${number}, score ${each.score.toFixed(2)}`;
      button.setAttribute("aria-label", each.chosen ? `${score}, the target` : `${score}: aim at it`);
    }
    for (const [id, button] of this.buttons) {
      if (!seen.has(id)) { button.remove(); this.buttons.delete(id); }
    }
  }

  press(number) { this.buttons.get(number - 1)?.click(); }

  tell() {
    const now = performance.now();
    const recent = this.delays.filter((_, i) => now - this.shownAt[i] < 5000);
    const count = this.shownAt.filter((at) => now - at < 2000).length / 2;
    if (!recent.length) {
      write(byId("rate"), "no pictures");
      return;
    }
    recent.sort((a, b) => a - b);
    const median = recent[Math.floor(recent.length / 2)];
    write(byId("rate"), `${count.toFixed(0)} pictures/s, ${Math.round(median)} ms after exposure`);
  }
}

const distance = ([x, y], [u, v]) => Math.hypot(x - u, y - v);

// A shape on a wider dark one: seen on bright ground too, and cheaper than a shadow at each picture.
const outlined = (name, { class: kind, ...place }) =>
  [draw(name, { class: `${kind} under`, ...place }), draw(name, { class: kind, ...place })];
