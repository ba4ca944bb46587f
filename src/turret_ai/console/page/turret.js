// SPDX-License-Identifier: Apache-2.0
// Where the turret points: a compass and a scale of elevation.

import { byId, draw, threeDigits, write } from "./page.js";

const NOW = "M0 -88 L9 -62 L-9 -62 Z";

export class Dials {
  constructor() {
    const dial = byId("dial");
    dial.append(draw("circle", { class: "ring", r: 90 }));
    for (let degrees = 0; degrees < 360; degrees += 30) {
      dial.append(draw("line", { class: "tick", y1: -90, y2: degrees % 90 ? -84 : -78, transform: `rotate(${degrees})` }));
    }
    for (const [name, x, y] of [["N", 0, -101], ["E", 101, 0], ["S", 0, 101], ["W", -101, 0]]) {
      dial.append(draw("text", { x, y }, name));
    }
    this.wish = draw("line", { class: "wish", y1: 0, y2: -90, visibility: "hidden" });
    this.goal = draw("path", { class: "goal", d: NOW });
    this.now = draw("path", { class: "now", d: NOW });
    this.heading = draw("text", { y: 0, "font-size": 26 }, "–");
    dial.append(this.wish, this.now, this.goal, this.heading);
    const scale = byId("elevation");
    scale.append(draw("line", { class: "ring", y1: -90, y2: 90 }));
    for (let degrees = -90; degrees <= 90; degrees += 30) {
      scale.append(draw("line", { class: "tick", x1: -6, x2: 6, y1: -degrees, y2: -degrees }));
      scale.append(draw("text", { x: 45, y: -degrees }, `${degrees}°`));
    }
    this.high = draw("path", { class: "now", d: "M8 0 L22 -8 L22 8 Z" });
    this.highGoal = draw("path", { class: "goal", d: "M8 0 L22 -8 L22 8 Z" });
    scale.append(this.high, this.highGoal);
  }

  // wish: three digits that were understood and are perhaps not yet gone to.
  show(turret, wish) {
    const { now, goal } = turret;
    const turned = (element, place) => {
      element.setAttribute("visibility", place ? "visible" : "hidden");
      if (place) element.setAttribute("transform", `rotate(${place.heading})`);
    };
    turned(this.now, now);
    turned(this.goal, goal);
    turned(this.wish, wish ? { heading: Number(wish) } : null);
    for (const [element, place] of [[this.high, now], [this.highGoal, goal]]) {
      element.setAttribute("visibility", place ? "visible" : "hidden");
      if (place) element.setAttribute("transform", `translate(0 ${-place.elevation})`);
    }
    write(this.heading, now ? threeDigits(now.heading) : "–");
    const words = [];
    if (!turret.connected) words.push("▲ no joint states");
    if (now) words.push(`▲ now ${now.heading.toFixed(1)}°, elevation ${now.elevation.toFixed(1)}°`);
    if (goal) words.push(`△ going to ${goal.heading.toFixed(1)}°, ${goal.elevation.toFixed(1)}°`);
    if (wish) words.push(`┆ commanded ${wish}`);
    words.push(turret.moving ? "moving" : turret.at_goal ? "there" : "standing");
    if (turret.limited.length) words.push(`limited in ${turret.limited.join(" and ")}`);
    write(byId("pointing"), words.join(" · "));
  }
}
