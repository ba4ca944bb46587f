// SPDX-License-Identifier: Apache-2.0
// Puts the page together: what comes in to the panels, what the operator does to the server.

import { Camera } from "./camera.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { byId, notice, write } from "./page.js";
import { showLatency, showStages } from "./stages.js";
import { Talk } from "./talk.js";
import { showMachine, showTurn } from "./turn.js";
import { Dials } from "./turret.js";

const dials = new Dials();
const log = new Log();
let turret = null, turn = null, born = null, unsent = false;

const link = new Link({
  sections(sections) {
    if (sections.about) {
      // Another instance of the server counts its turns anew.
      if (born !== null && born !== sections.about.born) log.clear();
      born = sections.about.born;
      log.most = sections.about.log_turns;
    }
    if (sections.turn) showTurn((turn = sections.turn));
    if (sections.turret) showTurret((turret = sections.turret));
    if (sections.turn || sections.turret) showMachine(turret?.phase ?? "IDLE", turn);
    if (turret) dials.show(turret, turn && !turn.ended ? turn.command?.fields.heading.value : "");
    if (sections.lock) showLock(sections.lock);
    if (sections.stages) showStages(sections.stages);
    if (sections.latency) showLatency(sections.latency);
    const ended = Object.keys(sections).filter((name) => name.startsWith("log:"));
    ended.sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
    for (const name of ended) log.add(sections[name]);
  },
  picture: (header, blob) => camera.show(header, blob),
  word(message) {
    if (message.type === "talk") talk.told(message.on, message.text);
    else if (message.type === "problem") notice(`▲ ${message.text}`);
    else if (message.type === "done") notice(`✓ ${message.what}: ${message.text}`);
  },
  state(state, text) {
    const element = byId("link");
    element.dataset.state = state;
    write(element, `${state === "open" ? "●" : "▲"} ${text}`);
    document.body.dataset.link = state;
    if (state === "lost") {
      notice(`▲ ${text}: what is shown is old, and STOP does not reach the turret`, true);
      talk.told(false, "");
    } else {
      notice("");
      if (unsent) stop();
      unsent = false;
    }
  },
  async token() {
    const dialog = byId("who");
    byId("token").value = "";
    if (!dialog.open) dialog.showModal();
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
    return byId("token").value.trim();
  },
});
const camera = new Camera(link, (search, candidate) => act({ type: "pick", search, candidate }));
const talk = new Talk(link);

function act(request) {
  if (!link.send(request)) notice("▲ there is no connection: nothing was sent");
}

function stop() {
  if (!link.send({ type: "stop" })) {
    unsent = true;
    notice("▲ there is no connection: STOP is sent as soon as it is back", true);
  }
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close("no");
}

function showTurret(state) {
  const signal = byId("signal");
  signal.dataset.armed = state.armed;
  write(signal, state.armed ? "◆ ARMED" : "○ disarmed");
  write(byId("arm"), state.armed ? "Disarm…" : "Arm…");
}

const LOCKS = { UNLOCKED: "○", LOCKED: "●", COASTING: "◐", LOST: "▲" };

function showLock({ state, caption, reason, track, unseen, looks }) {
  const words = [`${LOCKS[state] ?? "?"} ${state.toLowerCase()}`];
  if (state === "UNLOCKED") words.push(reason);
  else words.push(`${caption} (track ${track})`, `unseen for ${unseen.toFixed(1)} s`, `${looks.toFixed(1)} looks/s`);
  write(byId("lock"), words.filter(Boolean).join(" · "));
}

async function confirmed(question, yes) {
  const dialog = byId("confirm");
  write(byId("question"), question);
  write(byId("yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  return dialog.returnValue === "yes";
}

byId("stop").onclick = stop;
byId("reset").onclick = () => act({ type: "reset" });
byId("arm").onclick = async () => {
  const armed = !turret?.armed;
  const question = armed
    ? "Arm? The robot gives its signal after each aim until it is disarmed."
    : "Disarm? The robot gives no signal any more.";
  if (await confirmed(question, armed ? "Arm" : "Disarm")) act({ type: "arm", armed, confirmed: true });
};
byId("type").onsubmit = (event) => {
  event.preventDefault();
  const text = byId("typed").value.trim();
  if (!text) return;
  act({ type: "say", text });
  byId("typed").value = "";
};

// A button that was clicked must not take the space bar from the next sentence.
window.addEventListener("click", (event) => {
  if (event.detail) event.target.closest?.("button")?.blur();
});

// Esc is STOP wherever the focus is, before anybody else hears of it.
window.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    event.preventDefault();
    if (!event.repeat) stop();
    return;
  }
  const busy = event.target.closest?.("input, select, textarea, dialog");
  if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.code === "Space" && !event.target.closest("button:not(#talk), summary")) {
    event.preventDefault();
    if (!event.repeat) talk.press();
  } else if (/^[1-9]$/.test(event.key)) {
    camera.press(Number(event.key));
  } else if (event.key === "/") {
    event.preventDefault();
    byId("typed").focus();
  }
}, { capture: true });
window.addEventListener("keyup", (event) => {
  if (event.code === "Space") {
    if (event.target.id === "talk") event.preventDefault();
    talk.release();
  }
}, { capture: true });

const THEMES = ["auto", "light", "dark"];
function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  write(byId("theme"), `Theme: ${theme}`);
  localStorage.setItem("theme", theme);
}
byId("theme").onclick = () => {
  const now = THEMES.indexOf(document.documentElement.dataset.theme ?? "auto");
  setTheme(THEMES[(now + 1) % THEMES.length]);
};
setTheme(THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto");
showMachine("IDLE", null);

// For measuring from outside: how late the pictures were painted, ms.
window.turretConsole = { delays: () => [...camera.delays] };
