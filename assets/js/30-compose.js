// The form for posts: counts as the server does, grows, sends with Ctrl+Enter,
// and keeps an unsent text.
const LINK = /https?:\/\/[^\s<>"]+/gi;
const ADDRESS = /(^|[^\w/])@(\w+)@[\w.-]+\w/g;
const LINK_COUNTS = 23;
const graphemes = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

function countGraphemes(text) {
  return graphemes ? [...graphemes.segment(text)].length : [...text].length;
}

function countCharacters(text) {
  return countGraphemes(text.replace(LINK, "x".repeat(LINK_COUNTS)).replace(ADDRESS, "$1@$2"));
}

function setUpCompose(form) {
  const text = form.elements.text, spoiler = form.elements.spoiler;
  const count = form.querySelector("[data-count]"), send = form.querySelector("button");
  const most = Number(form.dataset.max);
  const draft = `draft:${form.getAttribute("action")}:${form.elements.quote?.value ?? ""}:${form.elements.reply_to.value}`;

  const update = () => {
    const left = most - countCharacters(text.value) - countCharacters(spoiler.value);
    count.firstChild.textContent = left;
    count.classList.toggle("low", left <= 60 && left >= 0);
    count.classList.toggle("over", left < 0);
    send.disabled = left < 0;
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.6)}px`;
    if (text.value) sessionStorage.setItem(draft, text.value); else sessionStorage.removeItem(draft);
  };
  if (!text.value) text.value = sessionStorage.getItem(draft) ?? "";
  else text.setSelectionRange(text.value.length, text.value.length);
  form.addEventListener("input", update);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !send.disabled) form.requestSubmit(send);
  });
  // A second press would only be sent again; the server would see it is the same.
  form.addEventListener("submit", () => { sessionStorage.removeItem(draft); setTimeout(() => { send.disabled = true; }); });
  addEventListener("pageshow", update);
  update();
}

// Only the next free place for a file is shown.
function setUpFiles(form) {
  const places = [...form.querySelectorAll("[data-file]")];
  const update = () => {
    const used = places.findLastIndex((place) => place.querySelector('input[type="file"]').files.length > 0);
    places.forEach((place, at) => { place.hidden = at > used + 1; });
  };
  form.addEventListener("change", update);
  addEventListener("pageshow", update);
  update();
}

// A third answer appears when two are there; a poll and files shut each other out.
function setUpPoll(form) {
  const poll = form.querySelector("[data-poll]");
  if (!poll) return;
  const fields = poll.querySelector("fieldset");
  const places = [...poll.querySelectorAll("[data-option]")];
  const options = places.map((place) => place.querySelector("input"));
  const files = [...form.querySelectorAll('input[type="file"]')];
  const update = () => {
    const used = options.findLastIndex((option) => option.value.trim());
    places.forEach((place, at) => { place.hidden = at > Math.max(used + 1, 1); });
    for (const option of options) {
      const isTwice = option.value.trim() && options.some((other) => other !== option && other.value.trim() === option.value.trim());
      const isLong = countGraphemes(option.value.trim()) > Number(option.dataset.most);
      option.setCustomValidity(isTwice ? "Two answers are the same." : isLong ? `An answer has at most ${option.dataset.most} characters.` : "");
    }
    options[1].required = used >= 0;
    const hasPoll = used >= 0;
    const hasFiles = files.some((file) => file.files.length) || Boolean(form.querySelector('[name^="drop"]:not(:checked)'));
    fields.disabled = hasFiles && !hasPoll;
    for (const file of files) file.disabled = hasPoll && !hasFiles;
  };
  form.addEventListener("input", update);
  form.addEventListener("change", update);
  addEventListener("pageshow", update);
  update();
}

for (const form of document.querySelectorAll("[data-compose]")) { setUpCompose(form); setUpFiles(form); setUpPoll(form); }

// A chosen picture is shown before it is sent.
for (const file of document.querySelectorAll('input[type="file"]')) {
  file.addEventListener("change", () => {
    const shown = document.querySelector(`[data-shows="${file.name}"]`);
    if (!shown || !file.files[0]) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => { shown.src = reader.result; });
    reader.readAsDataURL(file.files[0]);
  });
}
