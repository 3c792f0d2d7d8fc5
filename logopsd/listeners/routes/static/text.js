// Elements and numbers. Text gets into the page by textContent alone.

const SVG = "http://www.w3.org/2000/svg";
const whole = new Intl.NumberFormat("en");

// An element with a class, and texts or elements in it.
export function make(name, kind = "", ...children) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  element.append(...children);
  return element;
}

export function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// Set a text only where it changes, so that nothing is drawn or read out twice.
export function say(element, text, kind) {
  if (element.textContent !== text) element.textContent = text;
  if (kind !== undefined && element.className !== kind) element.className = kind;
}

export function count(number) {
  return whole.format(number);
}

// A number that has little room: exact below a million.
export function brief(number) {
  if (number < 1e6) return count(number);
  return number < 1e9 ? `${(number / 1e6).toFixed(2)} M` : `${(number / 1e9).toFixed(2)} G`;
}

export function files(number) {
  return `${count(number)} ${number === 1 ? "file" : "files"}`;
}

// A rate: with a decimal where it is small, in thousands and millions where it is large.
export function rate(number) {
  if (number >= 1e6) return `${(number / 1e6).toFixed(1)} M`;
  if (number >= 1e5) return `${Math.round(number / 1e3)} k`;
  return number > 0 && number < 10 ? number.toFixed(1) : whole.format(Math.round(number));
}

export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return `${unit && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

export function duration(seconds) {
  seconds = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(seconds / 3600);
  const days = Math.floor(seconds / 86400);
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min` : `${seconds} s`;
}

// 2026-11-23 12:34, UTC.
export function moment(epoch) {
  return new Date(epoch * 1000).toISOString().slice(0, 16).replace("T", " ");
}
