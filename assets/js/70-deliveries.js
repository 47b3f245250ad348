// The sums and charts of the delivery queue are drawn by the server; an open
// page takes the newest drawing every few seconds.
for (const place of document.querySelectorAll("[data-drawn]")) {
  const drawings = new EventSource(place.dataset.drawn);
  drawings.addEventListener("drawn", (event) => {
    // Not under the pointer: what it reads would vanish.
    if (place.querySelector(".plot g:hover")) return;
    place.replaceChildren(fragment(event.data));
    refreshTimes(place);
    place.dataset.at = "now";
  });
  addEventListener("pagehide", () => drawings.close());
}

// Whoever wrote a post sees it on its way: the line under it is asked for
// anew, less and less often, for as long as something may still change.
const REACH_FIRST_MS = 1000;
const REACH_MAX_MS = 60_000;

async function follow(line, wait) {
  await new Promise((resolve) => setTimeout(resolve, wait));
  if (document.hidden) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
    wait = REACH_FIRST_MS;
  }
  const answer = await fetch(line.dataset.reach).catch(() => null);
  if (answer && answer.status !== 200 && answer.status < 500) return;
  const later = Math.min(wait * 1.5, REACH_MAX_MS);
  if (answer?.status !== 200) return follow(line, later);
  const fresh = fragment(await answer.text()).firstElementChild;
  const list = fresh.querySelector("details");
  if (list) list.open = line.querySelector("details")?.open ?? false;
  line.replaceWith(fresh);
  refreshTimes(fresh);
  if (fresh.dataset.reach) follow(fresh, later);
}

for (const line of document.querySelectorAll("[data-reach]")) follow(line, REACH_FIRST_MS);
