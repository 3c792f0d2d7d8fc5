// Senders, files and retention.

import { count, duration, files as many, make, moment, say, size } from "./text.js";

function cells(...texts) {
  return texts.map(([text, kind]) => make("td", kind, text));
}

export function showSenders(body, sum, sources, now) {
  const rows = sources.sources.map((sender) => {
    const name = [sender.host, sender.peer].filter(Boolean).join(", ") || "-";
    const skew = sender.skew_seconds;
    const clock = skew === null ? "-" : `${skew > 0 ? "+" : ""}${skew.toFixed(1)} s`;
    const heard = `${duration(now - sender.last_seen)} ago`;
    const row = make("tr", sender.silent ? "silent" : "");
    row.append(
      ...cells(
        [name, ""],
        [sender.input, ""],
        [count(sender.records), "number"],
        [clock, "number"],
        [sender.silent ? `silent, ${heard}` : heard, "number"],
      ),
    );
    return row;
  });
  body.replaceChildren(...rows);
  const named = sources.known > rows.length ? `, the ${rows.length} heard last` : "";
  say(sum, `${count(sources.known)} known, ${count(sources.silent)} silent${named}`);
}

export function showFiles(body, sum, files, now) {
  const folder = files.files;
  const rows = (folder?.newest ?? []).map((file) => {
    const row = make("tr");
    row.append(
      ...cells([file.name, ""], [size(file.bytes), "number"], [`${duration(now - file.written)} ago`, "number"]),
    );
    return row;
  });
  body.replaceChildren(...rows);
  say(sum, folder ? `${many(folder.count)}, ${size(folder.bytes)}` : "No files are written");
}

export function showRetention(list, tick) {
  const { retention, files, sink, now } = tick;
  const facts = [["Kept", kept(retention)]];
  if (retention.autorun) facts.push(["Rounds", rounds(retention, now)]);
  else facts.push(["Rounds", "by hand: logopsd housekeep"]);
  for (const [key, title] of [["files", "Folder"], ["split", "Split files"], ["archives", "Archives"]]) {
    const folder = files?.[key];
    if (!folder) continue;
    const sum = key === "files" ? "" : `${many(folder.count)}, ${size(folder.bytes)}, in `;
    facts.push([title, `${sum}${folder.directory}`]);
  }
  if (files?.files?.oldest) facts.push(["Oldest", files.files.oldest]);
  if (sink.free_bytes !== null) facts.push(["Free", size(sink.free_bytes)]);
  list.replaceChildren(
    ...facts.map(([title, text]) => make("div", "", make("dt", "", title), make("dd", "", text))),
  );
}

function kept(retention) {
  const then = retention.mode === "zip" ? "then archived" : "then deleted";
  const most = retention.max_bytes ? `, ${size(retention.max_bytes)} at most` : "";
  const archives = retention.mode === "zip" && retention.archive_days ? ` for ${retention.archive_days} days` : "";
  return `${retention.days} days${most}, ${then}${archives}`;
}

function rounds(retention, now) {
  const last = retention.last_success;
  if (!retention.interval) return "one at each start";
  if (!last) return `every ${duration(retention.interval)}; none has ended well yet`;
  const next = last + retention.interval;
  const due = next > now ? `next in ${duration(next - now)}` : "one is due: if it stays so, see the log";
  return `last ended well ${moment(last)}, ${due}`;
}
