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
