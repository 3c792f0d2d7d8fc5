// Listens to the daemon, and hands each tick to what shows it.

import { Inputs, LEAST_SECONDS } from "./inputs.js";
import { Records } from "./records.js";
import { showFiles, showRetention, showSenders } from "./tables.js";
import { duration, moment, rate, say, size } from "./text.js";

const RETRY_MILLISECONDS = 3000; // where the browser itself has given up
const SILENCE_MILLISECONDS = 5000; // ticks come each second

const at = (id) => document.getElementById(id);

const inputs = new Inputs(at("inputs"), at("account"));
const records = new Records({
  list: at("list"),
  tally: at("tally"),
  level: at("level"),
  emitter: at("emitter"),
  emitters: at("emitters"),
  text: at("text"),
  pause: at("pause"),
  form: at("filters"),
});

let source = null;
let version = "";
let started = 0;
let last = null; // the last tick
let before = null; // of what was written, and when
let silence = 0; // the timer that notices that none comes

function listen() {
  source = new EventSource("events");
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.onerror = () => {
    lost();
    // It comes back by itself, but not where it was answered with an error.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MILLISECONDS);
  };
}

function lost() {
  const since = last ? ` since ${moment(last.now).slice(11)}` : "";
  say(at("state"), "no connection", "state bad");
  notice(`Nothing is heard of the daemon${since}: it is down, or shows itself on too many pages. Trying again.`);
  document.title = "no connection, logopsd";
}

function show(tick) {
  clearTimeout(silence);
  silence = setTimeout(lost, SILENCE_MILLISECONDS);
  if (version && version !== tick.version) location.reload(); // the page of another version
  if (started !== tick.started) inputs.restart();
  ({ version, started } = tick);
  showState(tick);
  const total = inputs.show(tick);
  say(at("version"), tick.version);
  say(at("uptime"), duration(tick.now - tick.started));
  say(at("total"), rate(total));
  showWritten(tick.sink.written_bytes, tick.now);
  records.note = tick.has_files ? "" : "No files are written (LOGOPS_SINK_FILE), so there are no records to read";
  records.take(tick.records, tick.left_out ?? 0, tick.hello === true);
  if (tick.sources) showSenders(at("senders"), at("senders-sum"), tick.sources, tick.now);
  if (tick.files) showFiles(at("files"), at("files-sum"), tick.files, tick.now);
  if (tick.retention) showRetention(at("retention"), tick);
  last = tick;
}

function showWritten(bytes, now) {
  const passed = before ? now - before.now : 0;
  if (passed >= LEAST_SECONDS) say(at("written"), `${size(Math.max(0, bytes - before.bytes) / passed)}/s`);
  if (!before || passed >= LEAST_SECONDS) before = { bytes, now };
}

function showState(tick) {
  const state = tick.state ?? "receiving";
  say(at("state"), tick.state ? "not receiving" : state, `state ${tick.state ? "bad" : "good"}`);
  const problems = [];
  if (tick.state) problems.push(`Not receiving: ${tick.state}.`);
  if (tick.problem) problems.push(`The files cannot be read: ${tick.problem}.`);
  notice(problems.join(" "));
  document.title = tick.state ? "not receiving, logopsd" : "logopsd";
}

function notice(text) {
  say(at("notice"), text);
  at("notice").hidden = !text;
}

listen();
