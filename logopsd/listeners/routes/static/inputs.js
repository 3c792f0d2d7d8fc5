// A card for each input: what it receives and drops now and in the last minute, and its account.

import { brief, count, draw, make, rate, say } from "./text.js";

const SECONDS = 60; // of a sparkline
const WIDTH = 100; // of its drawing, as its height in the same measure
const HEIGHT = 30;
export const LEAST_SECONDS = 0.5; // between two ticks that make a rate: the first two come at once

const TOTALS = {
  received: "received",
  accepted: "accepted",
  dropped: "dropped",
  suppressed: "suppressed",
  inflight: "in flight",
  connections: "connections",
};
const BESIDE = { malformed: "malformed", truncated: "messages cut", repeats: "repeats" };

class Card {
  constructor(name) {
    this.name = name;
    this.last = null; // the figures of the last tick, and its time
    this.arrived = [];
    this.lost = [];
    this.closes = make("span", "closes");
    this.rate = make("span");
    this.lostRate = make("span", "lost");
    this.reasons = make("p", "reasons");
    this.numbers = {};
    const totals = make("dl");
    for (const [key, title] of Object.entries(TOTALS)) {
      this.numbers[key] = make("dd");
      totals.append(make("div", "", make("dt", "", title), this.numbers[key]));
    }
    const head = make("div", "head", make("h3", "", name), this.closes);
    const now = make("div", "rate", this.lostRate, this.rate, " ", make("small", "", "received/s"));
    this.element = make("li", "input", head, now, this.sparkline(), totals, this.reasons);
  }

  sparkline() {
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" };
    this.spark = draw("svg", { class: "spark", ...box });
    this.area = draw("path", { class: "area" });
    this.line = draw("path", { class: "line" });
    this.drops = draw("path", { class: "drops" });
    const base = draw("path", { class: "base", d: `M0 ${HEIGHT}H${WIDTH}` });
    this.spark.append(this.area, base, this.line, this.drops);
    return this.spark;
  }

  show(figures, now) {
    const lost = figures.dropped + figures.suppressed + (figures.kernel_drops ?? 0);
    const passed = this.last ? now - this.last.now : 0;
    if (passed >= LEAST_SECONDS) {
      this.push(this.arrived, Math.max(0, figures.received - this.last.received) / passed);
      this.push(this.lost, Math.max(0, lost - this.last.lost) / passed);
    }
    if (!this.last || passed >= LEAST_SECONDS) this.last = { received: figures.received, lost, now };
    for (const [key, element] of Object.entries(this.numbers)) {
      say(element, brief(figures[key]));
      element.title = count(figures[key]);
    }
    this.showAccount(figures);
    this.showRates();
  }

  push(values, value) {
    values.push(value);
    if (values.length > SECONDS) values.shift();
  }

  showAccount(figures) {
    const lacking = figures.unaccounted;
    say(this.closes, lacking ? `lacks ${count(lacking)}` : "closes", `closes ${lacking ? "bad" : "good"}`);
    const reasons = Object.entries(figures.dropped_by).map(([why, many]) => `dropped as ${why} ${count(many)}`);
    if (figures.kernel_drops) reasons.push(`dropped by the kernel ${count(figures.kernel_drops)}`);
    for (const [key, title] of Object.entries(BESIDE)) {
      if (figures[key]) reasons.push(`${title} ${count(figures[key])}`);
    }
    say(this.reasons, reasons.join(", "));
    this.reasons.hidden = !reasons.length;
  }

  showRates() {
    const now = this.arrived.at(-1) ?? 0;
    const lost = this.lost.at(-1) ?? 0;
    const most = Math.max(0, ...this.arrived);
    say(this.rate, rate(now));
    say(this.lostRate, `${rate(lost)} dropped/s`, lost ? "lost bad" : "lost");
    this.spark.setAttribute(
      "aria-label",
      `${this.name} in the last minute: ${rate(now)} received a second now, ${rate(most)} at most`,
    );
    const top = Math.max(1, most, ...this.lost);
    const line = trace(this.arrived, top);
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", line && `${line}V${HEIGHT}H${across(this.arrived, 0)}Z`);
    this.drops.setAttribute("d", this.lost.some(Boolean) ? trace(this.lost, top) : "");
  }
}

// The newest value is at the right edge, and each tick moves the others to the left.
function across(values, index) {
  return (((SECONDS - values.length + index) / (SECONDS - 1)) * WIDTH).toFixed(2);
}

function trace(values, top) {
  const points = values.map(
    (value, index) => `${across(values, index)} ${(HEIGHT - (value / top) * (HEIGHT - 2)).toFixed(2)}`,
  );
  return points.length > 1 ? `M${points.join("L")}` : "";
}

export class Inputs {
  constructor(list, account) {
    this.list = list;
    this.account = account;
    this.cards = new Map();
  }

  // Begin anew: another process counts from zero.
  restart() {
    for (const card of this.cards.values()) card.last = null;
  }

  // Show a tick; returns what all of them receive a second.
  show(tick) {
    for (const [name, figures] of Object.entries(tick.inputs)) {
      if (!this.cards.has(name)) {
        this.cards.set(name, new Card(name));
        this.list.append(this.cards.get(name).element);
      }
      const kernel = name === "udp" ? { kernel_drops: tick.kernel_drops } : {};
      this.cards.get(name).show({ ...figures, ...kernel }, tick.now);
    }
    const open = Object.entries(tick.inputs).filter(([, figures]) => figures.unaccounted);
    const names = open.map(([name]) => name).join(", ");
    const formula = "received = accepted + dropped + suppressed + in flight";
    say(
      this.account,
      names ? `The account of ${names} does not close, a bug: ${formula}` : `The account closes: ${formula}`,
      names ? "aside bad" : "aside",
    );
    return [...this.cards.values()].reduce((sum, card) => sum + (card.arrived.at(-1) ?? 0), 0);
  }
}
