// Words for everyone: shown for a moment, and read out by screen readers.
let toastEnds;

function say(text) {
  const said = document.getElementById("said");
  said.className = "toast";
  said.textContent = text;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => { said.className = "unseen"; }, 4000);
}

// Only shown where scripts run.
for (const part of document.querySelectorAll("[data-with-script]")) part.hidden = false;

// The open one of many tabs may be beyond the edge of a small window.
for (const tab of document.querySelectorAll('.tabs [aria-current="page"]')) tab.scrollIntoView({ block: "nearest", inline: "center" });

// An open menu closes when the reader turns to something else.
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});
for (const field of document.querySelectorAll("[data-select]")) field.addEventListener("focus", () => field.select());
