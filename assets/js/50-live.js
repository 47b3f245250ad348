// New posts arrive by themselves and wait behind a button, so that nothing
// moves under the reader's eyes. Without a stream the page is simply reloaded.
const live = document.querySelector("[data-live]");
const stream = live?.dataset.live ?? "";
const isReader = document.body.classList.contains("has-bar");
const WAITING_MAX = 100;
const waiting = [];
let missed = false;

function setUnread(unread) {
  for (const drop of document.querySelectorAll("[data-unread]")) {
    drop.hidden = unread === 0;
    drop.querySelector("[data-number]").textContent = unread;
  }
  document.title = document.title.replace(/^(\(\d+\) )?/, unread ? `(${unread}) ` : "");
}

function showPill() {
  const pill = live.querySelector("[data-pill]");
  pill.hidden = waiting.length === 0 && !missed;
  if (missed) { pill.textContent = "Show new posts"; return; }
  pill.textContent = waiting.length === 1 ? "1 new post" : `${waiting.length}${waiting.length === WAITING_MAX ? "+" : ""} new posts`;
}

function insertWaiting() {
  if (missed) { location.reload(); return; }
  const feed = live.querySelector("[data-feed]");
  for (const item of waiting.splice(0)) { refreshTimes(item); feed.prepend(item); }
  live.querySelector("[data-feed-box]").hidden = false;
  live.querySelector(".empty")?.remove();
  showPill();
  feed.querySelector(".post")?.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

function arrived(html) {
  const post = fragment(html).querySelector(".post");
  if (!post || document.getElementById(post.id) || waiting.some((item) => item.firstChild.id === post.id)) return;
  const item = document.createElement("li");
  item.append(post);
  if (waiting.length === WAITING_MAX) waiting.shift();
  waiting.push(item);
  showPill();
  document.getElementById("said").textContent = live.querySelector("[data-pill]").textContent;
}

function removed(id) {
  for (const post of document.querySelectorAll(`[data-post="${CSS.escape(id)}"], #p-${CSS.escape(id)}`)) {
    (post.closest("ol[data-feed] > li") ?? post).remove();
  }
  const kept = waiting.filter((item) => item.firstChild.dataset.post !== id && item.firstChild.id !== `p-${id}`);
  if (kept.length !== waiting.length) { waiting.splice(0, waiting.length, ...kept); showPill(); }
}

if (stream || isReader) {
  const events = new EventSource(`/events?stream=${encodeURIComponent(stream || "none")}`);
  events.addEventListener("open", () => { document.documentElement.dataset.live = "on"; });
  events.addEventListener("post", (event) => live && arrived(event.data));
  events.addEventListener("delete", (event) => removed(event.data));
  events.addEventListener("unread", (event) => setUnread(Number(event.data)));
  // Some were lost on the way: reading the page anew is the whole truth.
  events.addEventListener("missed", () => { if (live && stream) { missed = true; showPill(); } });
  live?.querySelector("[data-pill]")?.addEventListener("click", insertWaiting);
  addEventListener("pagehide", () => events.close());
}
