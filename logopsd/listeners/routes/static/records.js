// The newest records: kept up to a bound, shown by filters, held while paused.

import { count, make, say } from "./text.js";

const KEPT = 1000; // records held in the browser
const SHOWN = 300; // of those that pass, as elements
const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"];

export class Records {
  constructor({ list, tally, level, emitter, emitters, text, pause, form }) {
    Object.assign(this, { list, tally, level, emitter, emitters, text, pause });
    this.kept = []; // the oldest first
    this.held = []; // came while paused
    this.names = new Set();
    this.paused = false;
    this.leftOut = 0;
    this.note = "";
    form.addEventListener("input", () => this.filter());
    form.addEventListener("submit", (event) => event.preventDefault());
    pause.addEventListener("click", () => this.setPaused(!this.paused));
  }

  // Take what a tick brought; those of a `hello` are all there are.
  take(records, leftOut, isHello) {
    if (isHello) {
      this.kept = [];
      this.held = [];
      this.filter();
    }
    const news = leftOut && records.length ? [{ leftOut }, ...records] : records;
    if (this.paused) this.held = this.held.concat(news).slice(-KEPT);
    else this.add(news, !isHello);
    this.showTally();
  }

  setPaused(paused) {
    this.paused = paused;
    this.pause.setAttribute("aria-pressed", String(paused));
    say(this.pause, paused ? "Go on" : "Pause");
    if (!paused) this.add(this.held.splice(0), true);
    this.showTally();
  }

  add(records, fresh) {
    if (!records.length) return;
    this.kept = this.kept.concat(records).slice(-KEPT);
    for (const record of records) this.remember(record.emitter);
    const shown = records.filter((record) => this.passes(record)).slice(-SHOWN);
    this.list.prepend(...shown.reverse().map((record) => row(record, fresh)));
    while (this.list.childElementCount > SHOWN) this.list.lastElementChild.remove();
  }

  filter() {
    const shown = this.kept.filter((record) => this.passes(record)).slice(-SHOWN);
    this.list.replaceChildren(...shown.reverse().map((record) => row(record, false)));
    this.showTally();
  }

  passes(record) {
    if (record.leftOut) return true;
    const rank = LEVELS.indexOf(record.level);
    if (rank < Number(this.level.value) && Number(this.level.value) > 0) return false;
    if (!holds(record.emitter ?? "", this.emitter.value)) return false;
    return holds([record.host, record.emitter, record.msg, record.more].join(" "), this.text.value);
  }

  remember(name) {
    if (!name || this.names.has(name) || this.names.size >= 100) return;
    this.names.add(name);
    const option = document.createElement("option");
    option.value = name;
    this.emitters.append(option);
  }

  showTally() {
    const passing = this.kept.filter((record) => !record.leftOut && this.passes(record)).length;
    const all = this.kept.filter((record) => !record.leftOut).length;
    const parts = [this.note || (all ? `${count(passing)} of the newest ${count(all)} pass` : "None yet")];
    if (this.paused) parts.push(`paused, ${count(this.held.filter((each) => !each.leftOut).length)} new`);
    say(this.tally, `${parts.join("; ")}.`);
  }
}

function holds(text, wanted) {
  return text.toLowerCase().includes(wanted.trim().toLowerCase());
}

function row(record, fresh) {
  if (record.leftOut) {
    const many = count(record.leftOut);
    return make("li", "gap", `About ${many} more came and are stored, too many to be shown here.`);
  }
  const level = LEVELS.includes(record.level) ? record.level : "";
  const time = make("time", "", clock(record));
  time.dateTime = record.ts ?? "";
  time.title = `${record.ts ?? ""}, received ${record.received ?? ""}`;
  const from = [record.host, record.emitter].filter(Boolean).join(" ");
  const said = make("span", "said", record.msg);
  if (record.more) said.append(" ", make("span", "more", record.more));
  return make(
    "li",
    `record ${level}${fresh ? " fresh" : ""}`,
    time,
    make("span", "level", record.level ?? "-"),
    make("span", "from", from || "-"),
    said,
  );
}

// The sender's time to the second, with its day where it did not arrive on that day.
function clock(record) {
  const ts = record.ts ?? "";
  if (ts.length < 19) return "-";
  return ts.slice(0, 10) === (record.received ?? "").slice(0, 10) ? ts.slice(11, 19) : ts.slice(0, 19);
}
