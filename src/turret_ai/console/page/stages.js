// SPDX-License-Identifier: Apache-2.0
// The nodes with life cycle and health, and the times of the steps.

import { byId, draw, make, seconds, write } from "./page.js";

const ORDER = ["transcriber", "commander", "locator", "controller"];
const SIGNS = ["●", "▲", "■"];
const LEVELS = ["well", "warning", "error"];

function levelOf(node) {
  if (node.state === "silent") return 2;
  if (node.stage && node.state !== "active") return Math.max(1, node.level ?? 1);
  return Math.min(2, node.level ?? 0);
}

export function showStages(nodes) {
  const parent = byId("nodes");
  const open = new Set([...parent.querySelectorAll("details[open]")].map((each) => each.dataset.name));
  const place = (node) => { const i = ORDER.indexOf(node.stage); return i < 0 ? ORDER.length : i; };
  const sorted = [...nodes].sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
  const items = sorted.map((node) => {
    const level = levelOf(node);
    const text = node.reason || node.message;
    const summary = make("summary", {},
      make("i", { text: SIGNS[level], role: "img", "aria-label": LEVELS[level] }),
      make("span", { text: node.name }), make("span", { text: node.state || "–" }),
      make("span", { class: "text", text: level ? `${LEVELS[level]}: ${text}` : text }));
    const rows = node.values.map(([key, value]) => make("tr", {}, make("th", { text: key, scope: "row" }), make("td", { text: value })));
    const details = make("details", { class: `level-${level}`, "data-name": node.name }, summary, make("table", {}, ...rows));
    details.open = open.has(node.name);
    return details;
  });
  parent.replaceChildren(...items);
  if (!items.length) write(parent, "no stage has reported: is the graph running, on this ROS_DOMAIN_ID?");
}

export function showLatency({ last, all }) {
  const names = ["hear", "understand", "slew", "see", "aim", "total"];
  const most = Math.max(0.1, ...names.map((name) => Math.max(last[name] ?? 0, all[name]?.p95 ?? 0)));
  const bars = names.map((name) => {
    const stats = all[name];
    const svg = draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img",
      "aria-label": `${name}: last ${seconds(last[name])}, median ${seconds(stats?.p50)}, 95% ${seconds(stats?.p95)}` });
    svg.append(draw("rect", { y: 2, height: 6, width: (100 * (last[name] ?? 0)) / most }));
    for (const value of stats ? [stats.p50, stats.p95] : []) {
      const x = (100 * value) / most;
      svg.append(draw("line", { x1: x, x2: x, y1: value === stats.p50 ? 0 : 3, y2: value === stats.p50 ? 10 : 7,
        "vector-effect": "non-scaling-stroke" }));
    }
    return make("div", { class: "bar" }, make("span", { text: name }), svg,
      make("span", { text: `${seconds(last[name])} | ${seconds(stats?.p50)}` }));
  });
  const count = all.total?.count ?? 0;
  bars.push(make("p", { class: "small", text: `bar: last turn; long mark: median, short mark: 95% of ${count} turns` }));
  byId("bars").replaceChildren(...bars);
}
