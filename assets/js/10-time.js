// Times in the reader's own zone and language, kept fresh.
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

function shortTime(at, now) {
  const age = now - at;
  if (age < MINUTE) return "now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h`;
  if (age < 7 * DAY) return `${Math.floor(age / DAY)} d`;
  const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return at.toLocaleDateString(undefined, { day: "numeric", month: "short", year });
}

function refreshTimes(root = document) {
  const now = new Date();
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const full = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    if (time.hasAttribute("data-full")) time.textContent = full;
    else if (time.hasAttribute("data-day")) time.textContent = at.toLocaleDateString(undefined, { dateStyle: "medium" });
    else { time.title = full; time.textContent = shortTime(at, now); }
  }
}

refreshTimes();
setInterval(refreshTimes, MINUTE);
