// Likes, boosts and bookmarks without leaving the place. Every button is a
// real form button; when anything goes wrong here, it is pressed for real.
const act = document.getElementById("act");

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

function replacePost(article, html) {
  const fresh = fragment(html).querySelector(".post");
  if (!fresh) return null;
  fresh.id = article.id;
  refreshTimes(fresh);
  article.replaceWith(fresh);
  // The same post may be on the page again, as a boost or the original.
  for (const copy of document.querySelectorAll(`.post[data-post="${CSS.escape(fresh.dataset.post)}"]`)) {
    if (copy === fresh) continue;
    const acts = fresh.querySelector(".acts").cloneNode(true);
    for (const button of acts.querySelectorAll('[name="entry"]')) button.value = copy.id.slice("p-".length);
    copy.querySelector(".acts").replaceWith(acts);
  }
  return fresh;
}

async function press(button) {
  const article = button.closest(".post");
  const body = new URLSearchParams(new FormData(act));
  body.set(button.name, button.value);
  if (article.classList.contains("focus")) body.set("focus", "1");
  const opened = Boolean(article.querySelector("details.warned")?.open);
  button.disabled = true;
  const answer = await fetch(button.formAction, { method: "POST", body, headers: { "X-Waxwing-Partial": "post" } });
  if (!answer.ok || answer.redirected) throw new Error(`answered ${answer.status}`);
  const fresh = replacePost(article, await answer.text());
  if (!fresh) throw new Error("no post in the answer");
  const warned = fresh.querySelector("details.warned");
  if (warned) warned.open = opened;
  fresh.querySelector(`[data-act="${button.dataset.act}"]`)?.focus({ preventScroll: true });
}

addEventListener("submit", (event) => {
  const button = event.submitter;
  const alone = event.target === act && ["like", "boost", "bookmark"].includes(button?.dataset.act);
  if (!alone || button.dataset.failed) return;
  event.preventDefault();
  press(button).catch(() => {
    button.disabled = false;
    button.dataset.failed = "1";
    button.click();
  });
});

// The next page is added below instead of opened.
addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-older]");
  const feed = document.querySelector("ol[data-feed]");
  if (!link || !feed || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const items = [...page.querySelectorAll("ol[data-feed] > li")];
    const first = items[0];
    for (const item of items) { refreshTimes(item); feed.append(item); }
    const next = page.querySelector("a[data-older]");
    if (next) link.href = next.getAttribute("href"); else link.remove();
    link.removeAttribute("aria-busy");
    first?.querySelector(".post")?.focus({ preventScroll: true });
  } catch {
    location.href = link.href;
  }
});
