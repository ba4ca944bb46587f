// SPDX-License-Identifier: Apache-2.0
// The sentence, its fields, and the state machine of the turn.

import { byId, make, percent, write } from "./page.js";

const MACHINE = ["IDLE", "HEARD", "SLEWING", "SEARCHING", "AIMING"];
const SYMBOLS = { AIMED: "✔", LIMITED: "◐", AMBIGUOUS: "≈", NOT_FOUND: "∅", INCOMPLETE: "…",
  TIMEOUT: "⧖", SUPERSEDED: "↷", CANCELLED: "■" };
const KINDS = { talk: "spoken here", typed: "typed here", pick: "picked here", stop: "STOP", heard: "heard" };
const SOURCES = { RULES: "exact", REPAIR: "repaired", LLM: "language model", "": "–" };

export const outcomeText = (name) => `${SYMBOLS[name] ?? "?"} ${name.replaceAll("_", " ")}`;

export function showTurn(turn) {
  showSentence(turn);
  showFields(turn.command);
  const outcome = turn.ended
    ? `${outcomeText(turn.ended.outcome)} ${turn.ended.reason}`.trim()
    : turn.found ? `${turn.found.status.replaceAll("_", " ")}: ${turn.found.caption} ` +
      `(match ${percent(turn.found.match)}, margin ${turn.found.margin.toFixed(1)})` : "under way";
  write(byId("outcome"), outcome);
  const steps = turn.steps.map(({ name, at }) => make("li", {},
    make("span", { text: name.toLowerCase() }), make("span", { text: `${at.toFixed(2)} s` })));
  byId("steps").replaceChildren(...steps);
}

function showSentence(turn) {
  const sentence = byId("sentence");
  const partial = turn.final === null && turn.partial !== "";
  sentence.classList.toggle("partial", partial);
  const text = turn.final || (partial ? `${turn.partial} …` : turn.unheard ? `(${turn.unheard})` : "–");
  write(sentence, text);
  const words = [KINDS[turn.kind]];
  if (partial) words.push("partial");
  else if (turn.final) words.push(`final, confidence ${percent(turn.confidence)}`);
  write(byId("reliability"), words.join(" · "));
  const readings = turn.readings.map(({ text, share }) => make("li", { text:
    `${text === turn.understood && text !== turn.final ? "understood from a second reading" : "also read"}` +
    ` (${percent(share)}): ${text}` }));
  byId("readings").replaceChildren(...readings);
}

function showFields(command) {
  const rows = [];
  for (const name of ["heading", "tool", "target"]) {
    const field = command?.fields[name] ?? { value: "", confidence: 0, source: "" };
    const meter = make("meter", { min: 0, max: 1, low: 0.5, high: 0.8, optimum: 1, value: field.confidence,
      "aria-label": `confidence of the ${name}` });
    const sure = make("dd", { class: "small", title: SOURCES[field.source] ?? field.source }, meter,
      field.value ? ` ${percent(field.confidence)}` : " –");
    rows.push(make("dt", { text: name }), make("dd", { class: "value", text: field.value || "–" }), sure);
  }
  if (command && command.status !== "OK") {
    rows.push(make("dt", { text: "status" }), make("dd", { text: command.status }),
      make("dd", { text: "" }));
  }
  if (command?.reason) rows.push(make("dt", { text: "why" }), make("dd", { text: command.reason }), make("dd"));
  if (command?.partial) rows.push(make("dt", { text: "so far" }), make("dd", { text: "the sentence goes on" }), make("dd"));
  byId("fields").replaceChildren(...rows);
}

// The controller's states, with the second at which this turn entered each.
export function showMachine(phase, turn) {
  const at = new Map((turn?.steps ?? []).map((step) => [step.name, step.at]));
  const items = MACHINE.map((name) => {
    const now = name === phase;
    const when = at.has(name) ? ` ${at.get(name).toFixed(2)} s` : "";
    const sign = now ? "▶ " : at.has(name) ? "✓ " : "";
    return make("li", { class: now ? "now" : at.has(name) ? "done" : "", text: `${sign}${name.toLowerCase()}${when}`,
      ...(now ? { "aria-current": "step" } : {}) });
  });
  byId("machine").replaceChildren(...items);
}
