// The keyboard. "?" shows the list.
const KEYS = [
  ["j", "next post"], ["k", "previous post"], ["o", "open the post"], ["r", "reply"], ["l", "like"], ["b", "boost"],
  ["s", "bookmark"], ["n", "write a post"], ["/", "search"], ["g h", "home"], ["g l", "local timeline"], ["g n", "notifications"], [".", "show new posts"], ["?", "this list"],
];
const PLACES = { h: "/", l: "/local", n: "/notifications" };
let afterG = 0;

function showKeys() {
  let dialog = document.getElementById("keys");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.setAttribute("aria-labelledby", "keys-title");
    const list = KEYS.map(([key, does]) => `<dt>${key.split(" ").map((k) => `<kbd>${k}</kbd>`).join(" ")}</dt><dd>${does}</dd>`).join("");
    dialog.append(fragment(`<h2 id="keys-title">Keyboard</h2><dl class="keys-list">${list}</dl><form method="dialog"><button class="quiet">Close</button></form>`));
    document.body.append(dialog);
  }
  dialog.showModal();
}

function move(step) {
  const posts = [...document.querySelectorAll(".post")].filter((post) => post.offsetParent);
  const at = posts.indexOf(document.activeElement?.closest?.(".post"));
  let to;
  if (at >= 0) to = posts[at + step];
  else to = posts.find((post) => post.getBoundingClientRect().bottom > 120) ?? posts[0];
  to?.focus();
}

function onPost(action) {
  document.activeElement?.closest?.(".post")?.querySelector(`[data-act="${action}"]`)?.click();
}

const ACTIONS = {
  j: () => move(1),
  k: () => move(-1),
  o: () => { const post = document.activeElement?.closest?.(".post"); if (post) location.href = post.dataset.path; },
  r: () => onPost("reply"),
  l: () => onPost("like"),
  b: () => onPost("boost"),
  s: () => onPost("bookmark"),
  n: () => { const text = document.getElementById("text"); if (text) { scrollTo({ top: 0 }); text.focus(); } else if (isReader) location.href = "/compose"; },
  "/": () => { const find = document.getElementById("find"); if (find?.offsetParent) find.focus(); else location.href = "/search"; },
  ".": () => document.querySelector("[data-pill]:not([hidden])")?.click(),
  "?": showKeys,
};

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (afterG && event.timeStamp - afterG < 1500 && PLACES[event.key]) { location.href = PLACES[event.key]; return; }
  afterG = event.key === "g" ? event.timeStamp : 0;
  const does = ACTIONS[event.key];
  if (does) { event.preventDefault(); does(); }
});
for (const button of document.querySelectorAll("[data-keys]")) button.addEventListener("click", showKeys);
