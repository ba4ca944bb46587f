// SPDX-License-Identifier: Apache-2.0
// Small helpers: elements by id, new elements, text that only changes when it must.

export const byId = (id) => document.getElementById(id);

export function make(name, words = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(words)) {
    if (key === "text") element.textContent = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function draw(name, words = {}, text = null) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(words)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
}

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Three digits as operators speak them: north is 360.
export function threeDigits(degrees) {
  const whole = Math.round(degrees) % 360;
  return String(whole === 0 ? 360 : whole).padStart(3, "0");
}

export function seconds(value) {
  if (!value) return "–";
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`;
}

export const percent = (share) => `${Math.round(share * 100)}%`;

let hiding = 0;

// A word to the operator that stays for a while. lasting: until the next one.
export function notice(text, lasting = false) {
  const element = byId("notice");
  clearTimeout(hiding);
  element.hidden = !text;
  write(element, text);
  if (text && !lasting) hiding = setTimeout(() => { element.hidden = true; }, 8000);
}
